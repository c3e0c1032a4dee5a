import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

import { logicalName } from './logical-name';
import type { AlarmDefinition, Manifest } from './manifest';

export interface SensorsProps {
  readonly manifests: readonly Manifest[];
  /** Starts every alarm's name. */
  readonly prefix: string;
  /** Where people are told of what no step answers. */
  readonly topic: ITopic;
  /** By alarm: instead of its manifest's threshold. */
  readonly thresholds: Readonly<Record<string, number>>;
}

/** The alarms on what the steps measure. */
export class Sensors extends Construct {
  private readonly alarms: ReadonlyMap<string, cloudwatch.Alarm>;

  constructor(scope: Construct, id: string, props: SensorsProps) {
    super(scope, id);
    this.alarms = new Map(props.manifests.flatMap((manifest) =>
      manifest.alarms.map((definition) => [definition.name, this.add(manifest, definition, props)])));
    const unknown = Object.keys(props.thresholds).filter((name) => !this.alarms.has(name));
    if (unknown.length > 0) {
      const known = [...this.alarms.keys()].join(', ');
      throw new Error(`setting thresholds: no manifest defines the alarm ${unknown.join(', ')}; may be one of ${known}`);
    }
  }

  /** The alarm of this name; the manifests were checked to define it. */
  alarm(name: string): cloudwatch.Alarm {
    const alarm = this.alarms.get(name);
    if (alarm === undefined) {
      throw new Error(`no manifest defines the alarm ${name}`);
    }
    return alarm;
  }

  private add(manifest: Manifest, definition: AlarmDefinition, { prefix, topic, thresholds }: SensorsProps): cloudwatch.Alarm {
    const alarm = new cloudwatch.Alarm(this, logicalName(definition.name), {
      alarmName: `${prefix}${definition.name}`,
      alarmDescription: definition.description,
      metric: new cloudwatch.Metric({
        namespace: 'Remediation',
        metricName: definition.metric,
        dimensionsMap: { Step: manifest.name },
        statistic: definition.statistic,
        period: Duration.seconds(definition.period_seconds),
      }),
      threshold: thresholds[definition.name] ?? definition.threshold,
      comparisonOperator: definition.comparison,
      evaluationPeriods: definition.evaluation_periods,
      ...(definition.datapoints_to_alarm !== undefined && { datapointsToAlarm: definition.datapoints_to_alarm }),
      // Silence says nothing about the processes: that a step fails to measure is told by RunsFailed.
      treatMissingData: definition.missing_data ?? cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    if (definition.tell) {
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
    return alarm;
  }
}
