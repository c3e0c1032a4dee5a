import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { readManifests } from '../lib/manifest';
import { copiedFixtures, FIXTURES, PRODUCT, temporaryFolder } from './support';

/** The faults after the `heal` fixture was changed, without the path of its file. */
function faultsAfter(change: (manifest: string) => string): string[] {
  const folder = copiedFixtures();
  const file = join(folder, 'heal/manifest.toml');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
  try {
    readManifests(folder);
  } catch (error) {
    return (error as Error).message.split('\n').slice(1).map((line) => line.replace('  - ', '').replace(`${file}: `, ''));
  }
  return [];
}

test("the product's own manifests are sound", () => {
  assert.ok(readManifests(PRODUCT).length > 0);
});

test('an alarm that no step of the product answers is told to people level by level, and no other one is at once', () => {
  const manifests = readManifests(PRODUCT);
  const answered = (by: (name: string) => boolean) => new Set(manifests.filter(({ name }) => by(name))
    .flatMap(({ triggers }) => triggers.flatMap((trigger) => (trigger.kind === 'alarm' ? [trigger.alarm] : []))));
  const [others, escalated] = [answered((name) => name !== 'escalate'), answered((name) => name === 'escalate')];
  const alarms = manifests.flatMap((manifest) => manifest.alarms.map(({ name }) => name));
  assert.deepEqual([...escalated].sort(), alarms.filter((name) => !others.has(name)).sort());
});

test('a manifest is read whole', () => {
  const heal = readManifests(FIXTURES).find(({ name }) => name === 'heal');
  assert.deepEqual(heal?.triggers, [
    { kind: 'execution-status', statuses: ['FAILED', 'TIMED_OUT'] }, { kind: 'alarm', alarm: 'too-many' }, { kind: 'alarm', alarm: 'silent' },
  ]);
  assert.equal(heal?.permissions.length, 3);
  assert.deepEqual([heal?.timeoutSeconds, heal?.memoryMb, heal?.alarms], [120, 512, []]);
});

const LINES: [string, (manifest: string) => string, string][] = [
  ['an unknown key', (text) => `tiemout = 1\n${text}`,
    'tiemout is unknown, may be one of name, guide, description, timeout_seconds, memory_mb, mode, ledger, limits, policy, '
      + 'triggers, alarms, permissions'],
  ['a missing key', (text) => text.replace('memory_mb = 512\n', ''),
    'memory_mb is missing, must be a whole number from 128 to 10240'],
  ['a wrong type', (text) => text.replace('timeout_seconds = 120', 'timeout_seconds = "120"'),
    'timeout_seconds is "120", must be a whole number from 1 to 900'],
  ['a value out of bounds', (text) => text.replace('timeout_seconds = 120', 'timeout_seconds = 901'),
    'timeout_seconds is 901, must be a whole number from 1 to 900'],
  ['another name than its folder', (text) => text.replace('name = "heal"', 'name = "cure"'),
    'name is "cure", must be "heal" like its folder'],
  ['an unknown mode', (text) => text.replace('"propose"', '"dare"'), 'mode is "dare", must be one of observe, propose, act'],
  ['an unknown limit', (text) => text.replace('actions_per_run', 'actions'),
    'limits.actions is unknown, may be one of actions_per_run, actions_per_hour, share_of_candidates, cooldown_seconds, '
      + 'attempts_per_target'],
  ['an unknown trigger', (text) => text.replace('kind = "execution-status"', 'kind = "moon"'),
    'triggers[0].kind is "moon", must be one of execution-status, alarm, schedule, deployment'],
  ['a trigger with a key of another kind', (text) => text.replace('kind = "execution-status"', 'kind = "deployment"'),
    'triggers[0].statuses is unknown, may be one of kind'],
  ['a status that no execution has', (text) => text.replace('"TIMED_OUT"', '"TIMEOUT"'),
    'triggers[0].statuses[1] is "TIMEOUT", must be one of RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED, PENDING_REDRIVE'],
  ['a policy that is no number', (text) => text.replace('patience = 5', 'patience = "5"'),
    'policy.patience is "5", must be a number of at least 0'],
  ['a trigger that names no alarm', (text) => text.replace('alarm = "silent"', ''),
    'triggers[2].alarm is missing, must be the name of an alarm that a manifest defines'],
  ['a trigger on an alarm that nobody defines', (text) => text.replace('alarm = "silent"', 'alarm = "loud"'),
    'heal: triggers name the alarm "loud", which no manifest defines; may be one of too-many, silent'],
  ['a trigger twice', (text) => text.replace('alarm = "silent"', 'alarm = "too-many"'),
    'heal: the trigger alarm too-many is there twice'],
  ['a permission without its reason', (text) => text.replace('why = "What is lost is in the list."', ''),
    'permissions[0].why is missing, must be a sentence that says what the step needs this for'],
  ['an unknown resource', (text) => text.replace('"state-machine"', '"everything"'),
    'permissions[0].resources[0] is "everything", must be one of state-machine, executions, worker, application, worker-log, '
    + 'application-logs, database-instances, database-clusters, alarms, escalation-topics, *, or step:<name>'],
  ['a step that there is none of', (text) => text.replace('"state-machine"', '"step:sleep"'),
    'heal: permissions name the step "sleep", may be one of heal, prepare, watch'],
  ['an action with a wildcard', (text) => text.replace('states:StopExecution', 'states:*'),
    'permissions[1].actions[0] is "states:*", must be an action like states:StopExecution, without *'],
  ['a permission on nothing', (text) => text.replace('resources = ["executions"]', 'resources = []'),
    'permissions[1].resources is [], must be a list with at least one entry'],
];
for (const [what, change, fault] of LINES) {
  test(`${what} is refused`, () => assert.deepEqual(faultsAfter(change), [fault]));
}

test('all faults of all manifests are told at once, each with its file', () => {
  const folder = copiedFixtures();
  appendFileSync(join(folder, 'prepare/manifest.toml'), 'every = 1\n');
  appendFileSync(join(folder, 'watch/manifest.toml'), 'because = "no"\n');
  mkdirSync(join(folder, 'zero'));
  mkdirSync(join(folder, 'broken'));
  writeFileSync(join(folder, 'broken/manifest.toml'), 'name = \n');
  assert.throws(() => readManifests(folder), ({ message }: Error) => {
    for (const [name, fault] of [
      ['broken', 'Invalid TOML document'],
      ['prepare', 'triggers[0].every is unknown'],
      ['watch', 'permissions[0].because is unknown'],
      ['zero', 'is missing: every folder beside it is a function'],
    ] as const) {
      assert.ok(message.includes(`${join(folder, name, 'manifest.toml')}: ${fault}`), message);
    }
    return true;
  });
});

test('an alarm is defined once', () => {
  const twice = faultsAfter((text) => {
    const watch = readFileSync(join(FIXTURES, 'watch/manifest.toml'), 'utf8');
    return text + watch.slice(watch.indexOf('[[alarms]]'), watch.indexOf('[[permissions]]'));
  });
  assert.deepEqual(twice, ['alarm "too-many" is defined twice', 'alarm "silent" is defined twice']);
});

test('an alarm that could never go off is refused', () => {
  const folder = copiedFixtures();
  const file = join(folder, 'watch/manifest.toml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('datapoints_to_alarm = 2', 'datapoints_to_alarm = 6'));
  assert.throws(() => readManifests(folder), /alarm "silent" can never go off: datapoints_to_alarm is 6, must be at most .*, 5/);
});

test('a folder without functions is told by the name of its setting', () => {
  assert.throws(() => readManifests(temporaryFolder()), /setting functionsDir: .* holds no function's folder/);
});
