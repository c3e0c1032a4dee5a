import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AwsSolutionsChecks } from 'cdk-nag';

import { FIXTURES, INGEST_SETTINGS, make, PRODUCT } from './support';

const network = { subnetIds: 'subnet-0123456a', securityGroupIds: 'sg-0123456a' };


const stacks = [
  ['the fixtures in a network', FIXTURES, network], ['the product', PRODUCT, {}], ['the product with a profile', PRODUCT, INGEST_SETTINGS],
] as const;
for (const [whose, folder, settings] of stacks) {
  test(`${whose}: cdk-nag's AwsSolutions rules find nothing but what is acknowledged beside its cause`, () => {
    const { app } = make(folder, settings);
    const { violations } = new AwsSolutionsChecks(app).validateScope(app);
    assert.deepEqual(violations, []);
  });
}
