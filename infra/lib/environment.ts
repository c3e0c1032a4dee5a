import { ArnFormat, type Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

import type { DatabaseSettings, Settings } from './settings';

/** Settings that functions read as they are. */
const PASSED = {
  stateMachineArn: 'STATE_MACHINE_ARN',
  workerFunctionName: 'WORKER_FUNCTION_NAME',
  applicationFunctionNames: 'APPLICATION_FUNCTION_NAMES',
  bedrockModelIds: 'BEDROCK_MODEL_IDS',
  workerAlias: 'WORKER_ALIAS',
  processingStateTable: 'PROCESSING_STATE_TABLE',
  processDeadlineSeconds: 'PROCESS_DEADLINE_SECONDS',
  startDeadlineSeconds: 'START_DEADLINE_SECONDS',
  settleSeconds: 'SETTLE_SECONDS',
  timedOutStatus: 'TIMED_OUT_STATUS',
  resultPath: 'RESULT_PATH',
  requireResult: 'REQUIRE_RESULT',
  approvalRequiresBy: 'APPROVAL_REQUIRES_BY',
  remediationMode: 'REMEDIATION_MODE',
  textLanguage: 'TEXT_LANGUAGE',
  databaseApplicationNames: 'DATABASE_APPLICATION_NAMES',
  idleInTransactionSeconds: 'IDLE_IN_TRANSACTION_SECONDS',
  blockingSeconds: 'BLOCKING_SECONDS',
  longQuerySeconds: 'LONG_QUERY_SECONDS',
  databaseInstanceId: 'DATABASE_INSTANCE_ID',
  retentionActionsDays: 'RETENTION_ACTIONS_DAYS',
  retentionRunsDays: 'RETENTION_RUNS_DAYS',
  retentionExecutionsDays: 'RETENTION_EXECUTIONS_DAYS',
  retentionRefusedWritesDays: 'RETENTION_REFUSED_WRITES_DAYS',
  escalateAfterSeconds: 'ESCALATE_AFTER_SECONDS',
  escalationL2Seconds: 'ESCALATION_L2_SECONDS',
  escalationL3Seconds: 'ESCALATION_L3_SECONDS',
  endpointUrl: 'AWS_ENDPOINT_URL',
} as const satisfies Partial<Record<keyof Settings, string>>;

/** The environment of every function. What is not set is left out: the functions know their defaults themselves. */
export function environment(settings: Settings, notifyTopicArn: string): Record<string, string> {
  const passed = Object.entries(PASSED).map(([setting, variable]) => [variable, settings[setting as keyof typeof PASSED]]);
  const profile = ['APPLICATION_PROFILE', settings.profile?.text];
  const all = [...passed, profile, ...databaseVariables(settings.database), ['NOTIFY_TOPIC_ARN', notifyTopicArn]];
  const texts = all.map(([variable, value]) => [variable, String(value ?? '')]);
  return Object.fromEntries(texts.filter(([, value]) => value !== ''));
}

function databaseVariables(database: DatabaseSettings): [string, string | number | undefined][] {
  switch (database.kind) {
    case 'url':
      return [['DATABASE_URL', database.url]];
    case 'secret':
      return [['DATABASE_SECRET_ARN', database.secretArn], ...placeVariables(database)];
    case 'iam':
      return [...placeVariables(database), ['DATABASE_USER', database.user], ['DATABASE_IAM_AUTH', 'true']];
  }
}

function placeVariables({ host, port, name }: Exclude<DatabaseSettings, { kind: 'url' }>): [string, string | number | undefined][] {
  return [['DATABASE_HOST', host], ['DATABASE_PORT', port], ['DATABASE_NAME', name]];
}

/** What reaching the database takes. */
export function databaseStatements(database: DatabaseSettings, stack: Stack): PolicyStatement[] {
  switch (database.kind) {
    case 'url':
      return [];
    case 'secret':
      return [new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [database.secretArn] })];
    case 'iam': {
      const user = stack.formatArn({
        service: 'rds-db',
        resource: 'dbuser',
        resourceName: `${database.resourceId}/${database.user}`,
        arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      });
      return [new PolicyStatement({ actions: ['rds-db:connect'], resources: [user] })];
    }
  }
}
