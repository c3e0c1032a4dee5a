import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

import type { Permission } from './manifest';
import type { Settings } from './settings';

type Subject = Pick<Settings, 'stateMachineArn' | 'workerFunctionName' | 'applicationFunctionNames'>;

/** A function that runs beside the state machine. */
function functionArn(stateMachineArn: string, name: string): string {
  const [, partition, , region, account] = stateMachineArn.split(':');
  return `arn:${partition}:lambda:${region}:${account}:function:${name}`;
}

/** What the words in a manifest's `resources` stand for. */
const WORDS = {
  /** The state machine that is looked after. */
  'state-machine': ({ stateMachineArn }: Subject) => [stateMachineArn],
  /** Its executions: their names are known at run time only. */
  executions: ({ stateMachineArn }: Subject) => [`${stateMachineArn.replace(':stateMachine:', ':execution:')}:*`],
  /** The worker with its versions and aliases. */
  worker: ({ stateMachineArn, workerFunctionName }: Subject) => {
    const arn = functionArn(stateMachineArn, workerFunctionName);
    return [arn, `${arn}:*`];
  },
  /** All functions of the application, the worker too, without their versions and aliases. */
  application: ({ stateMachineArn, workerFunctionName, applicationFunctionNames }: Subject) =>
    [...new Set([...applicationFunctionNames, workerFunctionName])].map((name) => functionArn(stateMachineArn, name)),
  /** For calls that AWS knows no resource for, like most of CloudWatch's. */
  '*': () => ['*'],
};

/** A word for what a permission is about. */
export type ResourceWord = keyof typeof WORDS;

export const RESOURCE_WORDS = Object.keys(WORDS) as ResourceWord[];

/** The ARNs that a permission's words stand for. */
export function arns(permission: Permission, subject: Subject): string[] {
  return permission.resources.flatMap((word) => WORDS[word](subject));
}

/** A manifest's permission as IAM has it. */
export function statement(permission: Permission, subject: Subject): PolicyStatement {
  return new PolicyStatement({ actions: permission.actions, resources: arns(permission, subject) });
}
