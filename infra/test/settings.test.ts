import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { App } from 'aws-cdk-lib';

import { HOME } from '../lib/home';
import { parseSettings, readSettings, SETTING_NAMES } from '../lib/settings';
import { LEAST, SECRET, STATE_MACHINE } from './support';

function faults(context: Record<string, unknown>): string[] {
  try {
    parseSettings(context, '/home');
  } catch (error) {
    return (error as Error).message.split('\n').slice(1).map((line) => line.replace(/^ {2}- /, ''));
  }
  return [];
}

test('the README explains every setting and no others', () => {
  const readme = readFileSync(join(HOME, 'README.md'), 'utf8');
  const rows = readme.slice(readme.indexOf('| setting |')).split('\n').map((row) => row.split('|')[1] ?? '');
  const explained = rows.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  assert.deepEqual(explained.sort(), [...SETTING_NAMES].sort());
});

test('two settings are enough', () => {
  const settings = parseSettings(LEAST, '/home/infra');
  assert.deepEqual(settings.database, { kind: 'secret', secretArn: SECRET, host: undefined, port: undefined, name: undefined });
  assert.equal(settings.stackName, 'Remediation');
  assert.equal(settings.prefix, 'remediation-');
  assert.equal(settings.architecture, 'x86_64');
  assert.equal(settings.codeDir, resolve('/home/target/lambda'));
  assert.equal(settings.functionsDir, resolve('/home/functions'));
  assert.equal(settings.migrateOnDeploy, true);
});

test('what the command line gives as text means the same as what cdk.json gives typed', () => {
  const typed = {
    ...LEAST,
    thresholds: { 'timeout-rate': 10 },
    processDeadlineSeconds: 1200,
    requireResult: true,
    logRetentionDays: 30,
    subnetIds: ['subnet-0123456a', 'subnet-0123456b'],
    securityGroupIds: ['sg-0123456a'],
  };
  const text = {
    ...LEAST,
    thresholds: '{"timeout-rate": 10}',
    processDeadlineSeconds: '1200',
    requireResult: 'true',
    logRetentionDays: '30',
    subnetIds: 'subnet-0123456a, subnet-0123456b',
    securityGroupIds: 'sg-0123456a',
  };
  assert.deepEqual(parseSettings(text, '/home'), parseSettings(typed, '/home'));
});

test("the CDK's own context is no setting of ours", () => {
  const app = new App({ context: { ...LEAST, '@aws-cdk/aws-iam:minimizePolicies': true, 'aws:cdk:bundling-stacks': [] } });
  assert.equal(readSettings(app.node, '/home').stateMachineArn, STATE_MACHINE);
});

test('all faults are listed at once, each with its setting and what it may be', () => {
  const [unknown, ...others] = faults({
    architecture: 'mips',
    migrateOnDeploy: 'yes',
    processDeadlineSeconds: '15m',
    prefx: 'a-',
    retentionActionsDays: '7',
    stateMachineArn: 'arn:aws:states:ap-northeast-1:123456789012:express:ai',
    subnetIds: 'subnet-0123456a,lan',
    thresholds: '{"timeout-rate": "high"}',
  });
  assert.match(unknown ?? '', /^prefx is unknown, may be one of stateMachineArn, .*, prefix, /);
  assert.deepEqual(others, [
    'stateMachineArn is "arn:aws:states:ap-northeast-1:123456789012:express:ai", must be the ARN of the state machine to look '
      + 'after, arn:aws:states:<region>:<account>:stateMachine:<name>',
    'processDeadlineSeconds is "15m", must be a whole number from 0 to 31536000',
    'thresholds.timeout-rate is "high", must be a number',
    'retentionActionsDays is 7, must be a whole number from 32 to 36500',
    'subnetIds[1] is "lan", must be a subnet id like subnet-0123abcd',
    'architecture is "mips", must be one of x86_64, arm64',
    'migrateOnDeploy is "yes", must be true or false',
    'exactly one of databaseUrl (local use only), databaseSecretArn and databaseHost (IAM authentication) must be set, not 0',
    'subnetIds and securityGroupIds must be set together',
  ]);
});

test('a missing state machine is told by the name of its setting', () => {
  const { stateMachineArn: _, ...rest } = LEAST;
  assert.match(faults(rest)[0] ?? '', /^stateMachineArn is missing, must be the ARN of the state machine/);
});

test('the levels are told in their order, whichever of their times is set', () => {
  const order = (context: Record<string, unknown>) => faults({ ...LEAST, ...context });
  assert.deepEqual(order({ escalateAfterSeconds: '0', escalationL2Seconds: 600, escalationL3Seconds: 601 }), []);
  assert.deepEqual(order({ escalationL2Seconds: 3600 }), ['escalateAfterSeconds (900) must be at most escalationL2Seconds (3600), '
    + 'and that less than escalationL3Seconds (3600)']);
  assert.deepEqual(order({ escalateAfterSeconds: 2000 }).length, 1);
  assert.deepEqual(order({ escalationL3Seconds: '1h' }), ['escalationL3Seconds is "1h", must be a whole number from 0 to 31536000']);
  assert.match(order({ escalationL1TopicArn: 'on-call' })[0] ?? '', /^escalationL1TopicArn is "on-call", must be a topic's ARN/);
});

const databases: [string, Record<string, unknown>, RegExp | undefined][] = [
  ['a URL', { databaseUrl: 'postgres://u:p@localhost:5432/app' }, undefined],
  ['IAM', { databaseHost: 'db.example', databaseUser: 'remediation', databaseResourceId: 'cluster-ABC' }, undefined],
  ['two at once', { databaseUrl: 'postgres://u:p@h/d', databaseHost: 'h' }, /^exactly one of databaseUrl .* not 2$/],
  ['IAM without its user', { databaseHost: 'h', databaseResourceId: 'db-A' }, /^databaseHost needs databaseUser and/],
  ['a name beside a URL', { databaseUrl: 'postgres://u:p@h/d', databaseName: 'd' }, /^databaseName goes with databaseHost only$/],
  ['a secret that RDS manages', { databaseSecretArn: SECRET, databaseHost: 'db.example', databaseName: 'app' }, undefined],
  ['a user beside a secret', { databaseSecretArn: SECRET, databaseUser: 'u' }, /^databaseUser goes with databaseHost only$/],
  ['a secret without its random part', { databaseSecretArn: SECRET.replace('-AbC123', '') }, /6 characters/],
  ['a secret with a wildcard', { databaseSecretArn: SECRET.replace('app', '*') }, /6 characters/],
];
for (const [name, context, fault] of databases) {
  test(`the database by ${name} is ${fault ? 'refused' : 'taken'}`, () => {
    const [first] = faults({ stateMachineArn: STATE_MACHINE, ...context });
    assert.match(first ?? '', fault ?? /^$/);
  });
}
