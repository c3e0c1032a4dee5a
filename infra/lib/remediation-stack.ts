import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { Annotations, CfnOutput, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

import { DeadLetters } from './dead-letters';
import { DeploymentRun } from './deployment-run';
import { Escalation } from './escalation';
import { logicalName } from './logical-name';
import type { Manifest } from './manifest';
import { RemediationFunction } from './remediation-function';
import { RunsFailed } from './runs-failed';
import { Sensors } from './sensors';
import type { Settings } from './settings';
import { Triggers } from './triggers';

export interface RemediationStackProps {
  readonly settings: Settings;
  readonly manifests: readonly Manifest[];
}

/** The runbook that runs itself: a function for every manifest, and what starts, watches and tells of them. */
export class RemediationStack extends Stack {
  constructor(scope: Construct, id: string, { settings, manifests }: RemediationStackProps) {
    super(scope, id, { description: 'Remediation of asynchronous processing: the runbook that runs itself' });
    checkCode(settings, manifests);
    checkNames(settings, manifests);
    if (settings.database.kind === 'url') {
      Annotations.of(this).addWarningV2('remediation:databaseUrl',
        'databaseUrl puts the password into the template: use databaseSecretArn or databaseHost in an account');
    }

    const topic = this.topic(settings);
    const deadLetters = new DeadLetters(this, 'DeadLetters', { alarmName: `${settings.prefix}dead-letters`, topic }).queue;
    const sensors = new Sensors(this, 'Sensors', { manifests, prefix: settings.prefix, topic, thresholds: settings.thresholds });

    const escalation = new Escalation(this, 'Escalation', { manifests, settings });

    const steps = new Map(manifests.map((manifest) => {
      const id = logicalName(manifest.name);
      const step = new RemediationFunction(this, id, { manifest, settings, deadLetters, topic, escalation });
      new Triggers(step, 'Triggers', { manifest, settings, deadLetters, sensors, function: step.function });
      if (manifest.triggers.some(({ kind }) => kind === 'schedule')) {
        new RunsFailed(step, 'RunsFailed', { manifest, prefix: settings.prefix, topic });
      }
      new CfnOutput(this, `${id}Arn`, { value: step.function.functionArn, description: manifest.description });
      return [manifest, step];
    }));
    if (settings.migrateOnDeploy) {
      this.runAtDeployment(steps, settings, deadLetters);
    }

    new CfnOutput(this, 'DeadLetterQueueUrl', { value: deadLetters.queueUrl, description: 'Events that no step could take' });
    new CfnOutput(this, 'NotifyTopicArn', { value: topic.topicArn, description: 'Where people are told' });
  }

  /** No new code runs before its tables are there: all other steps wait for those that run at deployment. */
  private runAtDeployment(steps: ReadonlyMap<Manifest, RemediationFunction>, settings: Settings, deadLetters: IQueue): void {
    const atDeployment = (manifest: Manifest) => manifest.triggers.some(({ kind }) => kind === 'deployment');
    const runs = [...steps].filter(([manifest]) => atDeployment(manifest)).map(([manifest, step]) =>
      new DeploymentRun(this, `${logicalName(manifest.name)}AtDeployment`, { manifest, step, settings, deadLetters }));
    for (const [, step] of [...steps].filter(([manifest]) => !atDeployment(manifest))) {
      step.node.addDependency(...runs);
    }
  }

  private topic(settings: Settings): sns.ITopic {
    const topic = settings.notifyTopicArn === undefined
      ? this.ownTopic()
      : sns.Topic.fromTopicArn(this, 'Topic', settings.notifyTopicArn);
    if (settings.notifyEmail !== undefined) {
      topic.addSubscription(new EmailSubscription(settings.notifyEmail));
    }
    return topic;
  }

  private ownTopic(): sns.Topic {
    const topic = new sns.Topic(this, 'Topic', { displayName: 'Remediation', enforceSSL: true });
    // The policy that enforces TLS replaces the default one, which let the account's alarms in.
    topic.addToResourcePolicy(new iam.PolicyStatement({
      principals: [new iam.ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
    }));
    return topic;
  }
}

function checkCode({ codeDir, architecture }: Settings, manifests: readonly Manifest[]): void {
  const missing = manifests.map(({ name }) => join(codeDir, name, 'bootstrap')).filter((file) => !existsSync(file));
  if (missing.length > 0) {
    const command = `cargo lambda build --release${architecture === 'arm64' ? ' --arm64' : ''}`;
    throw new Error(`The functions are not built: ${missing.join(', ')} missing. Run \`${command}\` in the repository's root, `
      + 'or set codeDir to the folder that holds <function>/bootstrap');
  }
}

/** Faults that show only where settings and manifests meet. */
function checkNames({ prefix, reservedConcurrency }: Settings, manifests: readonly Manifest[]): void {
  const names = manifests.map(({ name }) => name);
  const long = names.filter((name) => `${prefix}${name}`.length > 64);
  if (long.length > 0) {
    throw new Error(`setting prefix: ${prefix} makes names of more than 64 characters: ${long.join(', ')}`);
  }
  const unknown = Object.keys(reservedConcurrency).filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new Error(`setting reservedConcurrency: no function ${unknown.join(', ')}; may be ${names.join(', ')}`);
  }
}
