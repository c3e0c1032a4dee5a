import { join } from 'node:path';

import { Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { databaseStatements, environment } from './environment';
import type { Escalation } from './escalation';
import type { Manifest } from './manifest';
import { arns, statements, type Subject } from './permissions';
import type { Settings } from './settings';

/** After this, what an event told is no longer worth acting on: the sweeps have seen its subject many times by then. */
export const MAX_EVENT_AGE = Duration.hours(6);
/** Of asynchronous events; then they go to the dead-letter queue. */
export const RETRY_ATTEMPTS = 2;

export interface RemediationFunctionProps {
  readonly manifest: Manifest;
  readonly settings: Settings;
  readonly deadLetters: IQueue;
  readonly topic: ITopic;
  readonly escalation: Escalation;
}

/** One step of the runbook: its function, with the rights that its manifest explains and no others. */
export class RemediationFunction extends Construct {
  readonly function: lambda.Function;

  constructor(scope: Construct, id: string, { manifest, settings, deadLetters, topic, escalation }: RemediationFunctionProps) {
    super(scope, id);
    const functionName = `${settings.prefix}${manifest.name}`;

    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: settings.logRetentionDays,
      // The lasting record is the ledger. A log group that outlived its stack would keep the stack from being made again.
      removalPolicy: RemovalPolicy.DESTROY,
    });

    // A role of its own: the one that CDK makes may write to every log group of the account.
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    topic.grantPublish(role);

    this.function = new lambda.Function(this, 'Function', {
      functionName,
      description: manifest.description,
      runtime: lambda.Runtime.PROVIDED_AL2023,
      architecture: settings.architecture === 'arm64' ? lambda.Architecture.ARM_64 : lambda.Architecture.X86_64,
      handler: 'bootstrap',
      code: lambda.Code.fromAsset(join(settings.codeDir, manifest.name)),
      timeout: Duration.seconds(manifest.timeoutSeconds),
      memorySize: manifest.memoryMb,
      environment: { ...environment(settings, topic.topicArn), ...escalation.environmentOf(manifest) },
      role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      deadLetterQueue: deadLetters,
      retryAttempts: RETRY_ATTEMPTS,
      maxEventAge: MAX_EVENT_AGE,
      ...reservedConcurrency(settings.reservedConcurrency[manifest.name]),
    });

    for (const granted of databaseStatements(settings.database, Stack.of(this))) {
      role.addToPolicy(granted);
    }
    this.grantManifest(role, manifest, { ...settings, escalationTopicArns: escalation.topicArns });
    if (settings.network) {
      this.join(role, settings.network.subnetIds, settings.network.securityGroupIds);
    }
  }

  /** Each permission; the manifest's reason is what acknowledges a wildcard before cdk-nag. */
  private grantManifest(role: iam.Role, manifest: Manifest, subject: Subject): void {
    for (const permission of manifest.permissions) {
      statements(permission, subject).forEach((statement) => role.addToPolicy(statement));
      for (const arn of arns(permission, subject).filter((arn) => arn.endsWith('*'))) {
        acknowledgeWildcard(role, arn, permission.why);
      }
    }
  }

  /** By identifiers, because looking a network up would need an account at synthesis. */
  private join(role: iam.Role, subnetIds: readonly string[], securityGroupIds: readonly string[]): void {
    const cfn = this.function.node.defaultChild as lambda.CfnFunction;
    cfn.vpcConfig = { subnetIds: [...subnetIds], securityGroupIds: [...securityGroupIds] };
    role.addToPolicy(new iam.PolicyStatement({
      actions: ['CreateNetworkInterface', 'DescribeNetworkInterfaces', 'DescribeSubnets', 'DeleteNetworkInterface',
        'AssignPrivateIpAddresses', 'UnassignPrivateIpAddresses'].map((action) => `ec2:${action}`),
      resources: ['*'],
    }));
    acknowledgeWildcard(role, '*', 'Lambda makes the network interfaces itself and knows their names only then.');
  }
}

function reservedConcurrency(value: number | undefined): { reservedConcurrentExecutions?: number } {
  return value === undefined ? {} : { reservedConcurrentExecutions: value };
}

function acknowledgeWildcard(role: iam.Role, arn: string, reason: string): void {
  Validations.of(role).acknowledge({ id: `AwsSolutions-IAM5[Resource::${arn}]`, reason });
}
