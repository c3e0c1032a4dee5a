import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { test } from 'node:test';

import { HOME } from '../lib/home';

/** Which files of ours each file imports, types included: a name that is only read by the compiler ties two files all the same. */
function imports(files: Record<string, string>): Map<string, string[]> {
  const ours = (file: string, text: string) =>
    [...text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '').matchAll(/\b(?:from|import|require)\b\s*\(?\s*['"`](\.{1,2}\/[^'"`]+)['"`]/g)]
      .map(([, path]) => `${posix.join(posix.dirname(file), path ?? '').replace(/\.[jt]s$/, '')}.ts`);
  return new Map(Object.entries(files).map(([file, text]) => [file, ours(file, text)]));
}

/** The files that can be reached from each other, group by group. */
function circles(arrows: Map<string, string[]>): string[] {
  const reached = (from: string, found = new Set<string>()): Set<string> => {
    for (const to of arrows.get(from) ?? []) {
      if (!found.has(to)) {
        reached(to, found.add(to));
      }
    }
    return found;
  };
  const reach = new Map([...arrows.keys()].map((from) => [from, reached(from)]));
  const circle = (from: string) => [...reach.get(from) ?? []].filter((to) => reach.get(to)?.has(from)).sort().join(', ');
  return [...new Set([...reach.keys()].map(circle).filter((files) => files !== ''))];
}

test('no files need each other', () => {
  const folders = ['bin', 'lib'].flatMap((folder) => readdirSync(join(HOME, folder)).map((name) => `${folder}/${name}`));
  const files = Object.fromEntries(folders.map((file) => [file, readFileSync(join(HOME, file), 'utf8')]));
  const arrows = imports(files);
  assert.ok(arrows.get('lib/manifest.ts')?.includes('lib/permissions.ts'), 'manifest.ts was not found to import permissions.ts');
  assert.ok(arrows.get('bin/app.ts')?.includes('lib/settings.ts'), 'app.ts was not found to import settings.ts');
  assert.deepEqual(circles(arrows), []);
  assert.deepEqual(folders.filter((file) => !/\.(ts|py)$/.test(file)), [], 'what stands in a folder of its own is not looked at');
});

test('files that need each other are found and named', () => {
  const arrows = imports({
    'bin/app.ts': "import { a } from '../lib/a';\nimport { join } from 'node:path';\n",
    'lib/a.ts': "import {\n  b,\n  other,\n} from './b';\n",
    'lib/b.ts': "import type { C } from './c';\nexport { d } from './d';\n",
    'lib/c.ts': "import * as a from './a';\n",
    'lib/d.ts': "// import { a } from './a';\n * @see import('./a')\nimport './e';\n",
    'lib/e.ts': "const f = await import('./f.js');\n",
    'lib/f.ts': "import d = require('./d');\n",
  });
  assert.deepEqual(arrows.get('bin/app.ts'), ['lib/a.ts']);
  assert.deepEqual(circles(arrows), ['lib/a.ts, lib/b.ts, lib/c.ts', 'lib/d.ts, lib/e.ts, lib/f.ts']);
});
