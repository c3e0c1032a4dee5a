import { CfnOutput } from 'aws-cdk-lib';
import * as sns from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';

import type { Manifest } from './manifest';
import type { Settings } from './settings';

/** Who is told of an incident, one after the other. */
const LEVELS = ['L1', 'L2', 'L3'] as const;

/** What a manifest's permission names the topics of the levels by. */
const TOPICS = 'escalation-topics';

/** The topics through which people are told level by level: where a step tells them, one for each that the installation does not bring. */
export class Escalation extends Construct {
  private readonly topics: ReadonlyMap<string, sns.ITopic>;

  constructor(scope: Construct, id: string, { manifests, settings }: { manifests: readonly Manifest[]; settings: Settings }) {
    super(scope, id);
    this.topics = new Map(manifests.some(tellsLevels) ? LEVELS.map((level) => [level, this.topic(level, settings)]) : []);
  }

  /** The topics' ARNs. */
  get topicArns(): readonly string[] {
    return [...this.topics.values()].map((topic) => topic.topicArn);
  }

  /** What a step that tells the levels needs to know. */
  environmentOf(manifest: Manifest): Record<string, string> {
    const topics = tellsLevels(manifest) ? [...this.topics] : [];
    return Object.fromEntries(topics.map(([level, topic]) => [`ESCALATION_${level}_TOPIC_ARN`, topic.topicArn]));
  }

  private topic(level: (typeof LEVELS)[number], settings: Settings): sns.ITopic {
    const own = settings[`escalation${level}TopicArn`];
    const topic = own === undefined
      ? new sns.Topic(this, level, { displayName: `Remediation ${level}`, enforceSSL: true })
      : sns.Topic.fromTopicArn(this, level, own);
    const email = settings[`escalation${level}Email`];
    if (email !== undefined) {
      topic.addSubscription(new EmailSubscription(email));
    }
    new CfnOutput(this, `${level}TopicArn`, { value: topic.topicArn, description: `Where ${level} is told of incidents` })
      .overrideLogicalId(`Escalation${level}TopicArn`);
    return topic;
  }
}

function tellsLevels({ permissions }: Manifest): boolean {
  return permissions.some(({ resources }) => resources.includes(TOPICS));
}
