import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CustomResource, Duration, FileSystem, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { HOME } from './home';
import type { Manifest } from './manifest';
import type { RemediationFunction } from './remediation-function';
import type { Settings } from './settings';

export interface DeploymentRunProps {
  readonly manifest: Manifest;
  readonly step: RemediationFunction;
  readonly settings: Settings;
  readonly deadLetters: IQueue;
}

/**
 * Runs a step when the stack is deployed and its code, its database or the application's profile changed. A failed run fails the
 * deployment, which then goes back to what was there before.
 *
 * CDK's own Trigger sends no event and does not look at the result, and a step does not speak CloudFormation's protocol:
 * hence a few lines that do. They are Python because its runtime brings an AWS client wherever it runs, local endpoints
 * included; Node's brings one on AWS only.
 */
export class DeploymentRun extends Construct {
  constructor(scope: Construct, id: string, { manifest, step, settings, deadLetters }: DeploymentRunProps) {
    super(scope, id);
    // Time to answer after the step's own time is up; without an answer CloudFormation would wait for an hour.
    const timeout = Duration.seconds(Math.min(900, manifest.timeoutSeconds + 30));

    const logGroup = new LogGroup(this, 'Logs', {
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new iam.Role(this, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    role.addToPolicy(new iam.PolicyStatement({
      actions: ['lambda:InvokeFunction'],
      resources: [step.function.functionArn],
    }));

    const runner = new lambda.Function(this, 'Runner', {
      description: `Runs ${manifest.name} at deployment`,
      runtime: lambda.Runtime.PYTHON_3_14,
      handler: 'index.handler',
      code: lambda.Code.fromInline(readFileSync(join(HOME, 'lib/deployment-run.py'), 'utf8')),
      timeout,
      memorySize: 256,
      environment: settings.endpointUrl === undefined ? {} : { AWS_ENDPOINT_URL: settings.endpointUrl },
      role,
      logGroup,
      loggingFormat: lambda.LoggingFormat.JSON,
      deadLetterQueue: deadLetters,
    });
    Validations.of(runner).acknowledge({
      id: 'AwsSolutions-L1',
      reason: 'Python 3.14 is supported for years to come; lines that need nothing newer need not be first on a new runtime.',
    });

    // A resource of its own for every revision: one that fails is deleted on the way back, which runs nothing. An update would be
    // asked for again with the old properties, and a database that is down would leave the stack in UPDATE_ROLLBACK_FAILED.
    const run = new CustomResource(this, `Run${revision(join(settings.codeDir, manifest.name), settings)}`, {
      resourceType: 'Custom::DeploymentRun',
      serviceToken: runner.functionArn,
      serviceTimeout: timeout,
      properties: {
        FunctionName: step.function.functionName,
        Event: JSON.stringify({ all: true }),
        TimeoutSeconds: manifest.timeoutSeconds,
      },
    });
    // Its rights too, and its log group.
    run.node.addDependency(step);
  }
}

function revision(code: string, { database, profile }: Settings): string {
  const hash = createHash('sha256').update(FileSystem.fingerprint(code)).update(JSON.stringify(database)).update(profile?.text ?? '');
  return hash.digest('hex').slice(0, 8);
}
