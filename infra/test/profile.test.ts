import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { parse } from 'smol-toml';

import { HOME } from '../lib/home';
import { MOST_BYTES, type Profile, profileFaults, readProfile } from '../lib/profile';
import { parseSettings } from '../lib/settings';
import { LEAST, PROFILES, temporaryFolder } from './support';

/** A profile of the text, and what is wrong with it. */
function read(text: string): [Profile | undefined, string[]] {
  const [file, faults] = [join(temporaryFolder(), 'application.toml'), [] as string[]];
  writeFileSync(file, text);
  return [readProfile(file, faults), faults];
}

const applications = readdirSync(PROFILES, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);
for (const name of applications) {
  test(`the profile of ${name} is sound, and passed on without its comments it says the same`, () => {
    const [file, faults] = [join(PROFILES, name, 'application.toml'), [] as string[]];
    const profile = readProfile(file, faults);
    assert.deepEqual(faults, []);
    assert.deepEqual(parse(profile?.text ?? ''), parse(readFileSync(file, 'utf8')));
    assert.ok(!/^\s*#/m.test(profile?.text ?? ''));
  });
}

test('every fault is told in the words of the functions', () => {
  const table = parse(readFileSync(join(HOME, '../shared/tests/profile_faults.toml'), 'utf8')) as unknown as {
    sound: string, fault: { top?: string, rest?: string, alone?: string, told: string[] }[],
  };
  assert.deepEqual(profileFaults(parse(table.sound)), []);
  for (const { top = '', rest = '', alone = `${top}\n${table.sound}${rest}`, told } of table.fault) {
    assert.deepEqual(profileFaults(parse(alone)).sort(), told.sort(), alone);
  }
});

test('what a text may stand for is read as if it were written in full', () => {
  assert.deepEqual(profileFaults(parse('table = "jobs"\nstatus = "state"\nerror = "why"\nresult = "out"\ntimes.created = "at"\nexecution.arn = "arn"')), []);
  assert.deepEqual(profileFaults(parse('status = " "')).length, 1);
});

test('a profile that cannot be read says why', () => {
  const [, faults] = read('id = "a"\nprogress = = "b"\n');
  assert.match(faults[0] ?? '', /^it is no TOML: .*\(line 2, column 1\d\)$/);
  assert.equal(faults.length, 1);
  assert.deepEqual(read('')[1], []);
});

test('a profile that the environment has no room for is refused with its size; comments do not count', () => {
  const long = (bytes: number) => `[codes]\npermanent = [ "${'x'.repeat(bytes - 27)}" ]\n`;
  const comment = `# ${'why '.repeat(1000)}\n\n\n`;
  const [profile, faults] = read(comment + long(MOST_BYTES));
  assert.deepEqual([Buffer.byteLength(profile?.text ?? ''), faults], [MOST_BYTES, []]);
  assert.deepEqual(read(long(MOST_BYTES + 1))[1],
    ['it has 3073 bytes without its comments, and may have 3072: the environment of a function holds no more']);
});

test('state machines of another account or region are refused: no event comes from there', () => {
  const [of, elsewhere] = ['arn:aws:states:ap-northeast-1:000000000000', 'arn:aws:states:eu-west-1:000000000000'];
  const settings = { ...LEAST, applicationProfile: join(PROFILES, 'archive-ingest/application.toml') };
  assert.equal(parseSettings({ ...settings, stateMachineArn: `${of}:stateMachine:a` }, HOME).profile?.machines.length, 1);
  assert.throws(() => parseSettings({ ...settings, stateMachineArn: `${elsewhere}:stateMachine:a` }, HOME),
    /`execution\.machines` is `arn:aws:states:ap-northeast-1:0{12}:stateMachine:ingest-\*`: it must be in the account and region of state/);
});

test('all faults of a profile are told with those of the settings, each with its file', () => {
  const folder = temporaryFolder();
  const file = join(folder, 'application.toml');
  writeFileSync(file, 'retry = "maybe"\n[codes]\ntransient = "CANCELLED"\n');
  const faults = (context: Record<string, unknown>) => {
    try {
      parseSettings({ ...LEAST, ...context }, folder);
    } catch (error) {
      return (error as Error).message.split('\n').slice(1).map((line) => line.replace(/^ {2}- /, ''));
    }
    return [];
  };
  const told = [
    'architecture is "mips", must be one of x86_64, arm64',
    `applicationProfile ${file}: \`retry\` is \`maybe\`: it must be \`reopen\` or \`off\``,
    `applicationProfile ${file}: \`codes.transient\` is \`CANCELLED\`, which is in \`cancelled\` too: it must be a word of its own`,
  ];
  assert.deepEqual(faults({ architecture: 'mips', applicationProfile: file }), told);
  assert.deepEqual(faults({ applicationProfile: 'application.toml' }), told.slice(1), 'a path from where cdk is called');
  assert.deepEqual(faults({ applicationProfile: 'none.toml' }), [`applicationProfile ${join(folder, 'none.toml')}: there is no such file`]);
  assert.deepEqual(faults({ applicationProfile: folder }), [`applicationProfile ${folder}: there is no such file`]);
  assert.deepEqual(faults({ applicationProfile: 7 }), ["applicationProfile is 7, must be the path of the application's profile"]);
});

test('the page shows the profiles as they are', () => {
  const page = readFileSync(join(HOME, 'PROFILE.md'), 'utf8');
  const shown = [...page.matchAll(/```toml\n([^]*?)```/g)].map(([, text]) => text);
  const files = applications.map((name) => readFileSync(join(PROFILES, name, 'application.toml'), 'utf8'));
  for (const [index, text] of files.entries()) {
    assert.ok(shown.includes(text), `PROFILE.md does not show the profile of ${applications[index]} as it is`);
  }
  const others = shown.filter((text) => !files.includes(text ?? ''));
  assert.deepEqual(others.flatMap((text) => profileFaults(parse(text ?? ''))), [], 'an example of the page has faults');
});

test('the page explains every key and no others', () => {
  const { properties } = JSON.parse(readFileSync(join(HOME, 'application.schema.json'), 'utf8'));
  const sections = Object.entries(properties as Record<string, { properties?: object, additionalProperties?: unknown }>);
  // Where every key is free, the section is what is explained.
  const keys = sections.flatMap(([section, { properties = {}, additionalProperties }]) =>
    (additionalProperties === false ? Object.keys(properties).map((key) => `${section}.${key}`) : [section]));
  const page = readFileSync(join(HOME, 'PROFILE.md'), 'utf8');
  const rows = page.slice(page.indexOf('| key |')).split('\n\n')[0]?.split('\n').slice(2) ?? [];
  const explained = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([\w.]+)`/g)].map(([, key]) => key));
  assert.deepEqual(explained.sort(), keys.sort());
});
