import { Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

import type { Manifest } from './manifest';

export interface RunsFailedProps {
  readonly manifest: Manifest;
  /** Starts the alarm's and the function's name. */
  readonly prefix: string;
  readonly topic: ITopic;
}

/** Of a step that runs more often than this, one failed run needs nobody: the next one has looked by then. */
const OFTEN = Duration.minutes(15);

/**
 * The alarm on scheduled runs of a step that fail. They are no errors to Lambda, and nothing of them is in the dead-letter queue: the next
 * run looks at the same, so what matters is that none comes to its end. What is wrong is a sentence in ledger and log.
 */
export class RunsFailed extends Construct {
  constructor(scope: Construct, id: string, { manifest, prefix, topic }: RunsFailedProps) {
    super(scope, id);
    const every = manifest.triggers.flatMap((trigger) => (trigger.kind === 'schedule' ? [trigger.every_minutes] : []));
    const often = Math.min(...every) <= OFTEN.toMinutes();
    const alarm = new cloudwatch.Alarm(this, 'Alarm', {
      alarmName: `${prefix}runs-failed-${manifest.name}`,
      alarmDescription: `Scheduled runs of ${manifest.name} fail. What is wrong, and what to do, is in one sentence: `
        + `SELECT started_at, error FROM remediation.runs WHERE step = '${manifest.name}' AND error IS NOT NULL ORDER BY started_at DESC LIMIT 5; `
        + `or, while the database is down, log group /aws/lambda/${prefix}${manifest.name}, newest line "the run failed".`,
      metric: new cloudwatch.Metric({
        namespace: 'Remediation',
        metricName: 'RunsFailed',
        dimensionsMap: { Step: manifest.name },
        statistic: 'Maximum',
        period: often ? OFTEN : Duration.hours(1),
      }),
      threshold: 0,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: often ? 2 : 1,
      // Only failures are counted.
      treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(topic));
    if (often) {
      // Of a step that runs seldom, an hour without a failure is an hour without a run.
      alarm.addOkAction(new SnsAction(topic));
    }
  }
}
