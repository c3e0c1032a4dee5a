import assert from 'node:assert/strict';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { Annotations, Match } from 'aws-cdk-lib/assertions';

import { HOME } from '../lib/home';
import { readManifests } from '../lib/manifest';
import {
  built, copiedFixtures, FIXTURES, INGEST, INGEST_SETTINGS, make, only, PRODUCT, PROFILES, resources, STATE_MACHINE, template,
} from './support';

const fixtures = template();
const queueArn = { 'Fn::GetAtt': [only(fixtures, 'AWS::SQS::Queue').name, 'Arn'] };
const topic = { Ref: only(fixtures, 'AWS::SNS::Topic').name };

function rule(description: string, matches: (properties: Record<string, any>) => boolean): Record<string, any> {
  return only(fixtures, 'AWS::Events::Rule', (found) => found.Description === description && matches(found)).Properties;
}

function alarmNamed(name: string, from = fixtures): Record<string, any> {
  return only(from, 'AWS::CloudWatch::Alarm', ({ AlarmName }) => AlarmName === `remediation-${name}`).Properties;
}

function functionNamed(name: string, from = fixtures): Record<string, any> {
  return only(from, 'AWS::Lambda::Function', ({ FunctionName }) => FunctionName === `remediation-${name}`).Properties;
}

test('the inventory is as it was', () => {
  const lines = Object.entries(fixtures.toJSON().Resources as Record<string, { Type: string }>)
    // A run at deployment is named after the code that it runs.
    .map(([name, { Type }]) => `${Type} ${name.replace(/(?<=AtDeploymentRun)[0-9a-f]{8}.*/, '<revision>')}`);
  const file = join(HOME, 'test/inventory.txt');
  const inventory = `${lines.sort().join('\n')}\n`;
  if (process.env.UPDATE_INVENTORY) {
    writeFileSync(file, inventory);
  }
  // A changed logical name makes CloudFormation replace the resource: look twice before `UPDATE_INVENTORY=1 npm test`.
  assert.deepEqual(inventory.split('\n'), readFileSync(file, 'utf8').split('\n'));
});

test('a function has what its manifest says, and JSON logs', () => {
  const { Code: _, Role: __, ...heal } = functionNamed('heal');
  assert.deepEqual(heal, {
    FunctionName: 'remediation-heal',
    Description: 'Puts right.',
    Runtime: 'provided.al2023',
    Handler: 'bootstrap',
    Architectures: ['x86_64'],
    Timeout: 120,
    MemorySize: 512,
    Environment: {
      Variables: {
        STATE_MACHINE_ARN: STATE_MACHINE,
        WORKER_FUNCTION_NAME: 'ai-generation-worker',
        APPLICATION_FUNCTION_NAMES: 'async-processing-handler,status-check-handler,retry-handler,cancel-handler',
        DATABASE_SECRET_ARN: 'arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:app/db-AbC123',
        NOTIFY_TOPIC_ARN: topic,
      },
    },
    LoggingConfig: { LogFormat: 'JSON', LogGroup: heal.LoggingConfig.LogGroup },
    DeadLetterConfig: { TargetArn: queueArn },
  });
});

for (const [whose, folder] of [['the fixtures', FIXTURES], ['the product', PRODUCT]] as const) {
  const made = template(folder);
  const manifests = readManifests(folder);

  test(`${whose}: every function keeps its logs for a while, and what it cannot take in the dead-letter queue`, () => {
    const logGroups = new Map(resources(made, 'AWS::Logs::LogGroup'));
    const invocations = resources(made, 'AWS::Lambda::EventInvokeConfig').map(([, { Properties }]) => Properties);
    for (const [name, { Properties }] of resources(made, 'AWS::Lambda::Function')) {
      assert.equal(logGroups.get(Properties.LoggingConfig.LogGroup.Ref)?.Properties.RetentionInDays, 90, name);
      assert.ok(Properties.DeadLetterConfig.TargetArn['Fn::GetAtt'][0].startsWith('DeadLetters'), name);
    }
    assert.equal(invocations.length, manifests.length);
    for (const { MaximumRetryAttempts, MaximumEventAgeInSeconds } of invocations) {
      assert.deepEqual([MaximumRetryAttempts, MaximumEventAgeInSeconds], [2, 6 * 3600]);
    }
  });

  test(`${whose}: every trigger but deployments has one rule with one target and retries, and of all but schedules the dead-letter queue`, () => {
    const rules = resources(made, 'AWS::Events::Rule');
    const triggers = manifests.flatMap((manifest) => manifest.triggers).filter(({ kind }) => kind !== 'deployment');
    assert.equal(rules.length, triggers.length);
    for (const [name, { Properties: { Targets: targets, ScheduleExpression: schedule } }] of rules) {
      assert.equal(targets.length, 1, name);
      const kept = targets[0].DeadLetterConfig?.Arn['Fn::GetAtt'][0].startsWith('DeadLetters');
      assert.equal(kept, schedule === undefined ? true : undefined, name);
      assert.deepEqual(targets[0].RetryPolicy, { MaximumEventAgeInSeconds: 6 * 3600, MaximumRetryAttempts: 8 }, name);
    }
  });

  test(`${whose}: every alarm trigger has one rule, on the ARN of its alarm, for ALARM and OK`, () => {
    const alarms = new Map(resources(made, 'AWS::CloudWatch::Alarm')
      .map(([name, { Properties }]) => [name, Properties.AlarmName as string]));
    const ruled = resources(made, 'AWS::Events::Rule')
      .filter(([, { Properties }]) => Properties.EventPattern?.source[0] === 'aws.cloudwatch')
      .map(([, { Properties: { EventPattern: pattern, Description: description } }]) => {
        assert.deepEqual(pattern['detail-type'], ['CloudWatch Alarm State Change']);
        assert.deepEqual(pattern.detail, { state: { value: ['ALARM', 'OK'] } });
        const [arn, ...others] = pattern.resources;
        assert.deepEqual([others, arn['Fn::GetAtt'][1]], [[], 'Arn']);
        return `${description} on ${alarms.get(arn['Fn::GetAtt'][0])}`;
      });
    const wanted = manifests.flatMap(({ name, triggers }) => triggers
      .filter((trigger) => trigger.kind === 'alarm')
      .map(({ alarm }) => `Starts ${name} on remediation-${alarm}`));
    assert.deepEqual(ruled.sort(), wanted.sort());
  });
}

for (const [whose, folder] of [['the fixtures', FIXTURES], ['the product', PRODUCT]] as const) {
  test(`${whose}: people are told of every step whose scheduled runs fail, and where the sentence stands`, () => {
    const made = template(folder);
    const alarms = resources(made, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties)
      .filter(({ MetricName }) => MetricName === 'RunsFailed');
    const scheduled = readManifests(folder).filter(({ triggers }) => triggers.some(({ kind }) => kind === 'schedule'));
    assert.deepEqual(alarms.map(({ AlarmName }) => AlarmName).sort(),
      scheduled.map(({ name }) => `remediation-runs-failed-${name}`).sort());
    const [[name] = []] = resources(made, 'AWS::SNS::Topic').filter(([id]) => !id.startsWith('Escalation'));
    const told = { Ref: name };
    for (const { name, triggers } of scheduled) {
      const alarm = alarmNamed(`runs-failed-${name}`, made);
      assert.deepEqual([alarm.Namespace, alarm.Dimensions], ['Remediation', [{ Name: 'Step', Value: name }]]);
      assert.deepEqual([alarm.AlarmActions, alarm.Threshold], [[told], 0]);
      assert.deepEqual(alarm.OKActions, alarm.EvaluationPeriods === 1 ? undefined : [told]);
      for (const place of [`step = '${name}'`, 'SELECT started_at, error FROM remediation.runs', `/aws/lambda/remediation-${name}`]) {
        assert.ok(alarm.AlarmDescription.includes(place), alarm.AlarmDescription);
      }
      // CloudWatch takes 1024 characters.
      assert.ok(alarm.AlarmDescription.length <= 1024);
      // The alarm sees a run of the step in each of its periods, or goes off at one that failed.
      const every = triggers.flatMap((trigger) => (trigger.kind === 'schedule' ? [trigger.every_minutes] : []))[0] ?? 0;
      assert.ok(alarm.EvaluationPeriods === 1 || every * 60 <= alarm.Period, name);
    }
  });
}

test('an execution status rule hears of the one state machine only', () => {
  const { EventPattern } = rule('Starts heal', (found) => found.EventPattern.source[0] === 'aws.states');
  assert.deepEqual(EventPattern, {
    source: ['aws.states'],
    'detail-type': ['Step Functions Execution Status Change'],
    detail: { stateMachineArn: [STATE_MACHINE], status: ['FAILED', 'TIMED_OUT'] },
  });
});

test("the profile's state machines are heard of too, and every function gets it and neither default nor function of the guide's", () => {
  const made = template(FIXTURES, INGEST_SETTINGS);
  const { EventPattern } = only(made, 'AWS::Events::Rule', (found) => found.EventPattern?.source[0] === 'aws.states').Properties;
  assert.deepEqual(EventPattern.detail.stateMachineArn, [INGEST_SETTINGS.stateMachineArn, { prefix: INGEST.slice(0, -1) }]);
  for (const name of ['heal', 'prepare', 'watch']) {
    const { APPLICATION_PROFILE: profile, ...others } = functionNamed(name, made).Environment.Variables;
    assert.match(profile, /^table = "executions"\nid = "cumulus_id"\n/);
    const { WORKER_FUNCTION_NAME: _, APPLICATION_FUNCTION_NAMES: __, ...guides } = functionNamed(name).Environment.Variables;
    assert.deepEqual(others, { ...guides, STATE_MACHINE_ARN: INGEST_SETTINGS.stateMachineArn });
  }
});

test('a single setting is passed on beside the profile', () => {
  const made = template(FIXTURES, {
    applicationProfile: join(PROFILES, 'genomics/application.toml'), processingStateTable: 'other.workflow_run', processDeadlineSeconds: 60,
    workerFunctionName: 'caller',
  });
  const { APPLICATION_PROFILE: profile, PROCESSING_STATE_TABLE: table, PROCESS_DEADLINE_SECONDS: deadline, WORKER_FUNCTION_NAME: worker } =
    functionNamed('heal', made).Environment.Variables;
  assert.deepEqual([/^table = "workflow_run"/.test(profile), table, deadline, worker], [true, 'other.workflow_run', '60', 'caller']);
});

test('a schedule says which step it is for', () => {
  const { ScheduleExpression, Targets } = rule('Starts watch', () => true);
  assert.equal(ScheduleExpression, 'rate(1 minute)');
  assert.equal(Targets[0].Input, '{"schedule":"watch"}');
});

test('the dead-letter queue takes from all rules of the stack in one statement, for a queue has room for 20', () => {
  const { Properties } = only(fixtures, 'AWS::SQS::QueuePolicy');
  const allowed = Properties.PolicyDocument.Statement.filter(({ Effect }: { Effect: string }) => Effect === 'Allow');
  assert.equal(allowed.length, 1);
  assert.match(JSON.stringify(allowed[0].Condition), /:rule\/Remediation-\*/);
});

test('the dead-letter queue is encrypted, keeps for 14 days, and tells people that it holds something', () => {
  const queue = only(fixtures, 'AWS::SQS::Queue').Properties;
  assert.deepEqual(queue, { MessageRetentionPeriod: 14 * 24 * 3600, SqsManagedSseEnabled: true });
  const alarm = alarmNamed('dead-letters');
  assert.deepEqual(alarm.AlarmActions, [topic]);
  assert.deepEqual([alarm.Namespace, alarm.Threshold, alarm.ComparisonOperator], ['AWS/SQS', 0, 'GreaterThanThreshold']);
});

test('an alarm watches what its step measures, and tells people where no step answers', () => {
  assert.deepEqual(alarmNamed('too-many'), {
    AlarmName: 'remediation-too-many',
    AlarmDescription: 'There are too many.',
    Namespace: 'Remediation',
    MetricName: 'StuckProcesses',
    Dimensions: [{ Name: 'Step', Value: 'watch' }],
    Statistic: 'Maximum',
    Period: 60,
    EvaluationPeriods: 2,
    Threshold: 5,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'notBreaching',
    AlarmActions: [topic],
    OKActions: [topic],
  });
  const silent = alarmNamed('silent');
  assert.deepEqual([silent.ExtendedStatistic, silent.TreatMissingData, silent.AlarmActions], ['p95', 'breaching', undefined]);
  assert.deepEqual([silent.EvaluationPeriods, silent.DatapointsToAlarm], [5, 2]);
});

test('a step that runs at deployment sweeps, and every other function waits for it', () => {
  const { name: run, Properties } = only(fixtures, 'Custom::DeploymentRun');
  assert.equal(Properties.Event, '{"all":true}');
  assert.equal(Properties.TimeoutSeconds, 120);
  const waiting = resources(fixtures, 'AWS::Lambda::Function')
    .filter(([, { DependsOn }]) => DependsOn?.includes(run))
    .map(([, { Properties: { FunctionName } }]) => FunctionName);
  assert.deepEqual(waiting.sort(), ['remediation-heal', 'remediation-watch']);
});

test('a run at deployment is another resource where code, database or profile are others, else the same', () => {
  const run = (settings = {}) => only(template(FIXTURES, settings), 'Custom::DeploymentRun').name;
  const code = built(['watch', 'heal', 'prepare']);
  const first = run({ codeDir: code });
  assert.equal(run({ codeDir: code, prefix: 'other-' }), first);
  assert.notEqual(run({ databaseSecretArn: undefined, databaseUrl: 'postgres://u:p@h/d', codeDir: code }), first);
  assert.notEqual(run({ applicationProfile: join(PROFILES, 'genomics/application.toml'), codeDir: code }), first);
  writeFileSync(join(code, 'prepare/bootstrap'), 'other code');
  assert.notEqual(run({ codeDir: code }), first);
});

test('nothing runs at deployment where that is switched off', () => {
  template(FIXTURES, { migrateOnDeploy: false }).resourceCountIs('Custom::DeploymentRun', 0);
});

test('a new folder is a new function', () => {
  const folder = copiedFixtures();
  cpSync(join(folder, 'prepare'), join(folder, 'tidy-up'), { recursive: true });
  const manifest = readFileSync(join(folder, 'prepare/manifest.toml'), 'utf8');
  writeFileSync(join(folder, 'tidy-up/manifest.toml'), manifest.replace('"prepare"', '"tidy-up"').replace('deployment',
    'schedule"\nevery_minutes = 5 #'));
  const made = template(folder);
  assert.equal(functionNamed('tidy-up', made).Description, 'Makes tables.');
  assert.equal(resources(made, 'AWS::Events::Rule').length, resources(fixtures, 'AWS::Events::Rule').length + 1);
  assert.ok(made.findOutputs('TidyUpArn'));
});

test('functions that are not built are named, with the command that builds them', () => {
  const codeDir = built(['watch', 'heal', 'prepare']);
  rmSync(join(codeDir, 'heal/bootstrap'));
  assert.throws(() => make(FIXTURES, { codeDir }), /heal\/bootstrap missing\. Run `cargo lambda build --release` in/);
  assert.throws(() => make(FIXTURES, { codeDir, architecture: 'arm64' }), /`cargo lambda build --release --arm64`/);
});

test('names that settings and manifests do not share are refused', () => {
  assert.throws(() => make(FIXTURES, { thresholds: { few: 1 } }), /setting thresholds: .* few; may be one of too-many, silent/);
  assert.throws(() => make(FIXTURES, { reservedConcurrency: { cure: 1 } }), /setting reservedConcurrency: .* cure; may be heal,/);
});

test('settings reach the functions and the alarms', () => {
  const made = template(FIXTURES, {
    applicationFunctionNames: 'api, cancel',
    architecture: 'arm64',
    endpointUrl: 'http://127.0.0.1:4566',
    processDeadlineSeconds: 1200,
    remediationMode: 'observe',
    requireResult: true,
    approvalRequiresBy: true,
    reservedConcurrency: { heal: 5 },
    retentionRunsDays: 7,
    thresholds: { 'too-many': 50 },
    workerAlias: 'live',
  });
  const heal = functionNamed('heal', made);
  assert.deepEqual([heal.Architectures, heal.ReservedConcurrentExecutions], [['arm64'], 5]);
  assert.equal(functionNamed('watch', made).ReservedConcurrentExecutions, undefined);
  const before = functionNamed('heal').Environment.Variables;
  assert.deepEqual(heal.Environment.Variables, {
    ...before,
    APPLICATION_FUNCTION_NAMES: 'api,cancel',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:4566',
    PROCESS_DEADLINE_SECONDS: '1200',
    REMEDIATION_MODE: 'observe',
    REQUIRE_RESULT: 'true',
    APPROVAL_REQUIRES_BY: 'true',
    RETENTION_RUNS_DAYS: '7',
    WORKER_ALIAS: 'live',
  });
  assert.equal(alarmNamed('too-many', made).Threshold, 50);
});

test("the product's alarms are as the README says, and a setting moves each threshold", () => {
  const readme = readFileSync(join(HOME, 'README.md'), 'utf8');
  const rows = readme.slice(readme.indexOf('| alarm |')).split('\n\n')[0]?.split('\n').slice(2) ?? [];
  const manifests = readManifests(PRODUCT);
  const moved = Object.fromEntries(manifests.flatMap(({ alarms }) => alarms).map(({ name, threshold }) => [name, threshold + 0.5]));
  const [plain, set] = [template(PRODUCT), template(PRODUCT, { thresholds: JSON.stringify(moved) })];
  const properties = manifests.flatMap(({ alarms }) => alarms).map(({ name, metric, threshold, tell, ...definition }) => {
    const alarm = alarmNamed(name, plain);
    assert.deepEqual([alarm.Threshold, alarmNamed(name, set).Threshold], [threshold, threshold + 0.5], name);
    assert.equal(alarm.AlarmActions !== undefined, tell === true, name);
    // The game day computes the maximum only.
    assert.equal(definition.statistic, 'Maximum', name);
    const minutes = definition.evaluation_periods * definition.period_seconds / 60;
    const needed = (definition.datapoints_to_alarm ?? definition.evaluation_periods) * definition.period_seconds / 60;
    return `| \`${name}\` | \`${metric}\` | over ${threshold} | ${needed === minutes ? needed : `${needed} of ${minutes}`} |`;
  });
  assert.deepEqual(rows.map((row) => row.split('|').slice(0, 5).join('|') + '|').sort(), properties.sort());
  for (const { name, triggers } of manifests) {
    for (const trigger of triggers.filter((found) => found.kind === 'alarm')) {
      assert.ok(rows.some((row) => row.startsWith(`| \`${trigger.alarm}\` |`) && row.includes(`\`${name}\``)), `${name}: ${trigger.alarm}`);
    }
  }
  for (const { name, tell } of manifests.flatMap(({ alarms }) => alarms)) {
    const row = rows.find((found) => found.startsWith(`| \`${name}\` |`));
    assert.equal(row?.includes('people are notified'), tell === true, name);
  }
});

test('people can be told through a topic of their own, and by mail', () => {
  const own = 'arn:aws:sns:ap-northeast-1:123456789012:on-call';
  const made = template(FIXTURES, { notifyTopicArn: own, notifyEmail: 'on-call@example.com' });
  made.resourceCountIs('AWS::SNS::Topic', 0);
  assert.equal(functionNamed('heal', made).Environment.Variables.NOTIFY_TOPIC_ARN, own);
  made.hasResourceProperties('AWS::SNS::Subscription', { TopicArn: own, Protocol: 'email', Endpoint: 'on-call@example.com' });
});

test('a function in a network has exactly the subnets and groups that were set', () => {
  const subnets = ['subnet-0123456a', 'subnet-0123456b'];
  const made = template(FIXTURES, { subnetIds: subnets, securityGroupIds: ['sg-0123456a'] });
  assert.deepEqual(functionNamed('heal', made).VpcConfig, { SubnetIds: subnets, SecurityGroupIds: ['sg-0123456a'] });
});

test('a password in the template does not go unnoticed', () => {
  const { stack } = make(FIXTURES, { databaseSecretArn: undefined, databaseUrl: 'postgres://u:p@h/d' });
  assert.equal(Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp('password')).length, 1);
});

test('each level is told through a topic of its own, which only the step that tells it knows and may publish to', () => {
  const l3 = 'arn:aws:sns:ap-northeast-1:123456789012:manager';
  const made = template(PRODUCT, { escalationL3TopicArn: l3, escalationL1Email: 'on-call@example.com', escalationL2Seconds: 1200 });
  const topics = resources(made, 'AWS::SNS::Topic').filter(([name]) => name.startsWith('Escalation'));
  assert.deepEqual(topics.map(([, { Properties }]) => Properties.DisplayName), ['Remediation L1', 'Remediation L2']);
  const [l1, l2] = topics.map(([name]) => ({ Ref: name }));
  const variables = functionNamed('escalate', made).Environment.Variables;
  assert.deepEqual([variables.ESCALATION_L1_TOPIC_ARN, variables.ESCALATION_L2_TOPIC_ARN, variables.ESCALATION_L3_TOPIC_ARN], [l1, l2, l3]);
  assert.equal(variables.ESCALATION_L2_SECONDS, '1200');
  made.hasResourceProperties('AWS::SNS::Subscription', { TopicArn: l1, Protocol: 'email', Endpoint: 'on-call@example.com' });
  const whose = (topic: unknown) => resources(made, 'AWS::IAM::Policy')
    .filter(([, { Properties }]) => JSON.stringify(Properties.PolicyDocument).includes(JSON.stringify(topic)))
    .map(([, { Properties }]) => Properties.Roles[0].Ref.replace(/Role[0-9A-F]{8}$/, ''));
  assert.deepEqual([whose(l1), whose(l2), whose(l3)], [['Escalate'], ['Escalate'], ['Escalate']]);
  assert.equal(functionNamed('control', made).Environment.Variables.ESCALATION_L1_TOPIC_ARN, undefined);
  assert.ok(made.findOutputs('EscalationL3TopicArn').EscalationL3TopicArn);
});
