import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Template } from 'aws-cdk-lib/assertions';

import { HOME } from '../lib/home';
import type { Manifest } from '../lib/manifest';
import { arns, statements } from '../lib/permissions';
import { parseSettings } from '../lib/settings';
import { FIXTURES, INGEST, INGEST_SETTINGS, LEAST, make, PRODUCT, resources, SECRET, STATE_MACHINE } from './support';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** Every statement that allows something, with the logical name of its role. */
function allowed(made: Template): [string, Statement][] {
  return resources(made, 'AWS::IAM::Policy').flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement
    .filter(({ Effect }: Statement) => Effect === 'Allow')
    .map((statement: Statement) => [Properties.Roles[0].Ref, statement]));
}

/** `*` where no manifest gives a reason for it. */
function unexplained(made: Template, manifests: readonly Manifest[], settings = {}): string[] {
  const subject = parseSettings({ ...LEAST, ...settings }, HOME);
  const explained = new Set(manifests.flatMap((manifest) => manifest.permissions.flatMap((permission) =>
    arns(permission, subject).flatMap((arn) =>
      permission.actions.map((action) => `${action} on ${JSON.stringify(arn)}`)))));
  return allowed(made).flatMap(([, { Action, Resource }]) =>
    list(Action).flatMap((action) => list(Resource).map((resource) => `${action} on ${JSON.stringify(resource)}`)))
    .filter((right) => right.includes('*') && !explained.has(right));
}

for (const [whose, folder, settings] of [
  ['the fixtures', FIXTURES, {}], ['the product', PRODUCT, {}], ['the product with a profile', PRODUCT, INGEST_SETTINGS],
] as const) {
  const { stack, manifests } = make(folder, settings);
  const made = Template.fromStack(stack);

  test(`${whose}: no policy has a * that a manifest does not explain`, () => {
    assert.deepEqual(unexplained(made, manifests, settings), []);
  });

  test(`${whose}: all rights are in policies that the test above reads`, () => {
    for (const [name, { Properties }] of resources(made, 'AWS::IAM::Role')) {
      assert.deepEqual([Properties.ManagedPolicyArns, Properties.Policies], [undefined, undefined], name);
    }
    made.resourceCountIs('AWS::IAM::ManagedPolicy', 0);
  });

  test(`${whose}: every function has a role of its own`, () => {
    const roles = resources(made, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties.Role['Fn::GetAtt'][0]);
    assert.equal(new Set(roles).size, roles.length);
  });
}

test('the test above would notice', () => {
  const { stack, manifests } = make();
  const silent = manifests.map((manifest) => ({ ...manifest, permissions: [] }));
  assert.deepEqual(unexplained(Template.fromStack(stack), silent), [
    `states:StopExecution on "${STATE_MACHINE.replace('stateMachine', 'execution')}:*"`,
    'lambda:UpdateFunctionConfiguration on "arn:aws:lambda:ap-northeast-1:123456789012:function:ai-generation-worker:*"',
    'cloudwatch:GetMetricData on "*"',
  ]);
});

test('a step has its logs, the topic, the dead-letter queue, the database and what its manifest says: nothing else', () => {
  const { stack } = make();
  const of = (role: string) => allowed(Template.fromStack(stack)).filter(([name]) => name.startsWith(role))
    .flatMap(([, { Action }]) => list(Action)).sort();
  const all = ['logs:CreateLogStream', 'logs:PutLogEvents', 'secretsmanager:GetSecretValue', 'sns:Publish', 'sqs:SendMessage'];
  assert.deepEqual(of('PrepareRole'), all);
  assert.deepEqual(of('HealRole'),
    [...all, 'lambda:UpdateFunctionConfiguration', 'states:ListExecutions', 'states:StopExecution'].sort());
  assert.deepEqual(of('PrepareAtDeploymentRole'),
    ['lambda:InvokeFunction', 'logs:CreateLogStream', 'logs:PutLogEvents', 'sqs:SendMessage']);
});

test('the application is its functions, the worker among them, each once', () => {
  const permission = { actions: ['lambda:GetFunctionConfiguration'], resources: ['application'] as const, why: 'They are looked at.' };
  const subject = { stateMachineArn: STATE_MACHINE, workerFunctionName: 'worker', applicationFunctionNames: ['api', 'worker', 'cancel'],
    logGroups: {}, databaseInstanceId: undefined, prefix: 'remediation-' };
  const found = arns({ ...permission, resources: [...permission.resources] }, subject);
  assert.deepEqual(found, ['api', 'worker', 'cancel'].map((name) => `arn:aws:lambda:ap-northeast-1:123456789012:function:${name}`));
});

test('where no function of the application is named, nothing is permitted on one', () => {
  const subject = { stateMachineArn: STATE_MACHINE, workerFunctionName: undefined, applicationFunctionNames: [], logGroups: {},
    databaseInstanceId: undefined, prefix: 'remediation-' };
  for (const word of ['worker', 'application', 'worker-log', 'application-logs']) {
    assert.deepEqual(statements({ actions: ['x:Y'], resources: [word], why: 'It is looked at.' }, subject), [], word);
  }
});

test('a word may stand for a log group, a step of ours, or what RDS has, where the installation names its instance', () => {
  const subject = { stateMachineArn: STATE_MACHINE, workerFunctionName: 'worker', applicationFunctionNames: ['api'],
    logGroups: {}, databaseInstanceId: undefined, prefix: 'ours-' };
  const found = (resource: string, more = {}) =>
    arns({ actions: ['x:Y'], resources: [resource], why: 'It is looked at.' }, { ...subject, ...more });
  const region = 'ap-northeast-1:123456789012';
  assert.deepEqual(found('worker-log'), [`arn:aws:logs:${region}:log-group:/aws/lambda/worker:*`]);
  assert.deepEqual(found('application-logs'), ['api', 'worker'].map((name) => `arn:aws:logs:${region}:log-group:/aws/lambda/${name}:*`));
  const logGroups = { worker: 'app/Worker-1' };
  assert.deepEqual(found('worker-log', { logGroups }), [`arn:aws:logs:${region}:log-group:app/Worker-1:*`]);
  assert.deepEqual(found('application-logs', { logGroups }),
    ['/aws/lambda/api', 'app/Worker-1'].map((name) => `arn:aws:logs:${region}:log-group:${name}:*`));
  assert.deepEqual(found('alarms'), [`arn:aws:cloudwatch:${region}:alarm:*`]);
  assert.deepEqual(found('step:relieve-database'), [`arn:aws:lambda:${region}:function:ours-relieve-database`]);
  assert.deepEqual(found('database-instances', { databaseInstanceId: 'app-db' }), [`arn:aws:rds:${region}:db:*`]);
  assert.deepEqual(found('database-clusters', { databaseInstanceId: 'app-db' }), [`arn:aws:rds:${region}:cluster:*`]);
  assert.deepEqual([...found('database-instances'), ...found('database-clusters')], []);
});

test("the state machines of the application's profile and their executions are looked after like the installation's own", () => {
  const executions = (machine: string) => `${machine.replace(':stateMachine:', ':execution:')}:*`;
  const right = (action: string) => allowed(Template.fromStack(make(FIXTURES, INGEST_SETTINGS).stack))
    .flatMap(([, { Action, Resource }]) => (list(Action).includes(action) ? list(Resource) : []));
  assert.deepEqual(right('states:ListExecutions'), [INGEST_SETTINGS.stateMachineArn, INGEST]);
  assert.deepEqual(right('states:StopExecution'), [executions(INGEST_SETTINGS.stateMachineArn), executions(INGEST)]);
});

test("the log groups of the application's profile may be read beside those of its functions", () => {
  const logs = { text: '', isAnothers: false, machines: [STATE_MACHINE], logGroups: ['/aws/ecs/worker', '/aws/lambda/ai-generation-worker'] };
  const subject = { ...parseSettings(LEAST, HOME), profile: logs };
  const found = (resource: string) => arns({ actions: ['x:Y'], resources: [resource], why: 'It is looked at.' }, subject);
  assert.deepEqual(found('worker-log'), ['/aws/lambda/ai-generation-worker', '/aws/ecs/worker']
    .map((group) => `arn:aws:logs:ap-northeast-1:123456789012:log-group:${group}:*`));
  assert.equal(found('application-logs').length, 6);
  assert.deepEqual(found('state-machine'), [STATE_MACHINE], 'the same one twice is one');
});

test('the database is reached by exactly one right', () => {
  const right = (settings: Record<string, unknown>) => allowed(Template.fromStack(make(FIXTURES, settings).stack))
    .filter(([role, { Action }]) => role.startsWith('HealRole') && /secretsmanager|rds/.test(String(Action)))
    .map(([, { Action, Resource }]) => [Action, JSON.stringify(Resource)]);
  const iam = {
    databaseSecretArn: undefined, databaseHost: 'db', databaseUser: 'remediation', databaseResourceId: 'cluster-ABC',
  };
  assert.deepEqual(right({}), [['secretsmanager:GetSecretValue', JSON.stringify(SECRET)]]);
  assert.deepEqual(right({ databaseSecretArn: undefined, databaseUrl: 'postgres://u:p@h/d' }), []);
  const [[action, resource], ...others] = right(iam) as [[unknown, string]];
  assert.deepEqual([action, others], ['rds-db:connect', []]);
  assert.match(resource, /":rds-db:".*":dbuser:cluster-ABC\/remediation"/);
});
