import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

import type { Permission } from './manifest';

/** What the words in a manifest's `resources` stand for. */
export interface Resources {
  readonly stateMachineArn: string;
  readonly workerArn: string;
}

const WORDS = {
  /** The state machine that is looked after. */
  'state-machine': ({ stateMachineArn }: Resources) => [stateMachineArn],
  /** Its executions: their names are known at run time only. */
  executions: ({ stateMachineArn }: Resources) => [`${stateMachineArn.replace(':stateMachine:', ':execution:')}:*`],
  /** The worker's function with its versions and aliases. */
  worker: ({ workerArn }: Resources) => [workerArn, `${workerArn}:*`],
  /** For calls that AWS knows no resource for, like most of CloudWatch's. */
  '*': () => ['*'],
};

/** A word for what a permission is about. */
export type ResourceWord = keyof typeof WORDS;

export const RESOURCE_WORDS = Object.keys(WORDS) as ResourceWord[];

/** The ARNs that a permission's words stand for. */
export function arns(permission: Permission, resources: Resources): string[] {
  return permission.resources.flatMap((word) => WORDS[word](resources));
}

/** A manifest's permission as IAM has it. */
export function statement(permission: Permission, resources: Resources): PolicyStatement {
  return new PolicyStatement({ actions: permission.actions, resources: arns(permission, resources) });
}
