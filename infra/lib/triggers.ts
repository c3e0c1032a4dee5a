import { Duration } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { logicalName } from './logical-name';
import type { Manifest, Trigger } from './manifest';
import { stateMachines } from './permissions';
import { MAX_EVENT_AGE } from './remediation-function';
import type { Sensors } from './sensors';
import type { Settings } from './settings';

/** Of EventBridge to reach the function, with growing pauses: what lasts longer is for the dead-letter queue's reader. */
const DELIVERY_ATTEMPTS = 8;

export interface TriggersProps {
  readonly manifest: Manifest;
  readonly function: IFunction;
  readonly deadLetters: IQueue;
  readonly sensors: Sensors;
  readonly settings: Settings;
}

/**
 * The rules that start one step.
 *
 * None of them leaves out what our own actions cause, for no pattern could tell it apart without losing what must be seen:
 * an execution that we stop is ABORTED like any other, and the step that hears of it has to remember it; an alarm that we
 * bring back to OK closes its incident. The functions see to it that we don't start ourselves for ever: a row that is already
 * so is left alone, cooldowns and attempts are counted in the ledger, and a run started by a step carries its depth.
 */
export class Triggers extends Construct {
  constructor(scope: Construct, id: string, private readonly props: TriggersProps) {
    super(scope, id);
    for (const trigger of props.manifest.triggers) {
      this.add(trigger);
    }
  }

  private add(trigger: Trigger): void {
    switch (trigger.kind) {
      case 'execution-status':
        this.rule('ExecutionStatus', {
          eventPattern: {
            source: ['aws.states'],
            detailType: ['Step Functions Execution Status Change'],
            detail: {
              stateMachineArn: stateMachines(this.props.settings).map((arn) => (arn.endsWith('*') ? { prefix: arn.slice(0, -1) } : arn)),
              ...(trigger.statuses && { status: trigger.statuses }),
            },
          },
        });
        break;
      case 'alarm':
        this.rule(`Alarm${logicalName(trigger.alarm)}`, {
          eventPattern: {
            source: ['aws.cloudwatch'],
            detailType: ['CloudWatch Alarm State Change'],
            resources: [this.props.sensors.alarm(trigger.alarm).alarmArn],
            // OK too: it closes the incident. INSUFFICIENT_DATA says nothing to act on.
            detail: { state: { value: ['ALARM', 'OK'] } },
          },
        });
        break;
      case 'schedule':
        this.rule(
          'Schedule',
          { schedule: events.Schedule.rate(Duration.minutes(trigger.every_minutes)) },
          { event: events.RuleTargetInput.fromObject({ schedule: this.props.manifest.name }) },
        );
        break;
      case 'deployment':
        // No rule: the stack itself runs it, see DeploymentRun.
        break;
    }
  }

  /** With an `input` of its own it is a schedule, which is not kept where it cannot be delivered: the next one looks at the same. */
  private rule(id: string, when: Pick<events.RuleProps, 'eventPattern' | 'schedule'>, input?: { event: events.RuleTargetInput }): void {
    const kept = input === undefined && { deadLetterConfig: { arn: this.props.deadLetters.queueArn } };
    const target = new LambdaFunction(this.props.function, {
      retryAttempts: DELIVERY_ATTEMPTS,
      maxEventAge: MAX_EVENT_AGE,
      ...input,
    });
    new events.Rule(this, id, {
      ...when,
      description: `Starts ${this.props.manifest.name}`,
      // The queue is named here rather than in LambdaFunction, which would add a statement for each rule to its policy:
      // DeadLetters has one for all.
      targets: [{ bind: (rule, id) => ({ ...target.bind(rule, id), ...kept }) }],
    });
  }
}
