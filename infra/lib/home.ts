import { resolve } from 'node:path';

/** The folder of cdk.json, seen from the compiled files in dist/lib. */
export const HOME = resolve(__dirname, '../..');
