import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

import type { Settings } from './settings';

export type Subject = Pick<Settings,
  'stateMachineArn' | 'workerFunctionName' | 'applicationFunctionNames' | 'logGroups' | 'databaseInstanceId' | 'prefix'>
  & { readonly profile?: Settings['profile']; readonly escalationTopicArns?: readonly string[] };

/** What a step may call, on what, and why. */
export interface Permission {
  readonly actions: string[];
  readonly resources: string[];
  readonly why: string;
}

/** An ARN beside the state machine: all that is looked after is in its account and region. */
function beside({ stateMachineArn }: Subject, service: string, resource: string): string {
  const [, partition, , region, account] = stateMachineArn.split(':');
  return `arn:${partition}:${service}:${region}:${account}:${resource}`;
}

const functionArn = (subject: Subject, name: string) => beside(subject, 'lambda', `function:${name}`);
const logArns = (subject: Subject, functions: readonly string[]) => {
  const groups = functions.map((name) => subject.logGroups[name] ?? `/aws/lambda/${name}`);
  return [...new Set([...groups, ...(subject.profile?.logGroups ?? [])])].map((group) => beside(subject, 'logs', `log-group:${group}:*`));
};
const worker = ({ workerFunctionName: name }: Subject) => (name === undefined ? [] : [name]);
const application = (subject: Subject) => [...new Set([...subject.applicationFunctionNames, ...worker(subject)])];

/** The state machines that are looked after, the installation's own and the profile's: ARNs, or their beginnings with `*`. */
export function stateMachines({ stateMachineArn, profile }: Pick<Subject, 'stateMachineArn' | 'profile'>): string[] {
  return [...new Set([stateMachineArn, ...(profile?.machines ?? [])])];
}

/** What the words in a manifest's `resources` stand for. */
const WORDS = {
  /** The state machines that are looked after. */
  'state-machine': stateMachines,
  /** Their executions: their names are known at run time only. */
  executions: (subject: Subject) => stateMachines(subject).map((arn) => `${arn.replace(':stateMachine:', ':execution:')}:*`),
  /** The worker with its versions and aliases. */
  worker: (subject: Subject) => worker(subject).map((name) => functionArn(subject, name)).flatMap((arn) => [arn, `${arn}:*`]),
  /** All functions of the application, the worker too, without their versions and aliases. */
  application: (subject: Subject) => application(subject).map((name) => functionArn(subject, name)),
  /** The worker's log group and those that the application's profile names, with their streams. */
  'worker-log': (subject: Subject) => logArns(subject, worker(subject)),
  /** The same, and the log groups of the application's other functions. */
  'application-logs': (subject: Subject) => logArns(subject, application(subject)),
  /**
   * All instances and all clusters of RDS, for describing only: which cluster the instance is in, and which others are, is known at run
   * time only. None where the installation names no instance: the step refuses then.
   */
  'database-instances': (subject: Subject) => (subject.databaseInstanceId === undefined ? [] : [beside(subject, 'rds', 'db:*')]),
  'database-clusters': (subject: Subject) => (subject.databaseInstanceId === undefined ? [] : [beside(subject, 'rds', 'cluster:*')]),
  /** The alarms beside the state machine, for describing only: CloudWatch checks such a call against all of them. */
  alarms: (subject: Subject) => [beside(subject, 'cloudwatch', 'alarm:*')],
  /** The topics through which people are told level by level. */
  'escalation-topics': ({ escalationTopicArns = [] }: Subject) => [...escalationTopicArns],
  /** For calls that AWS knows no resource for, like most of CloudWatch's. */
  '*': () => ['*'],
} satisfies Record<string, (subject: Subject) => string[]>;

const STEP = /^step:([a-z][a-z0-9-]*)$/;

/** What a manifest's `resources` may have: one of the words, or a step's own function. */
export const RESOURCE = {
  expected: `one of ${Object.keys(WORDS).join(', ')}, or step:<name>`,
  pattern: new RegExp(`^(${Object.keys(WORDS).map((word) => word.replace('*', '\\*')).join('|')})$|${STEP.source}`),
};

/** The step that a word names; undefined for any other word. */
export function stepOf(word: string): string | undefined {
  return STEP.exec(word)?.[1];
}

/** The ARNs that a permission's words stand for. */
export function arns(permission: Permission, subject: Subject): string[] {
  return permission.resources.flatMap((word) => {
    const step = stepOf(word);
    return step === undefined ? WORDS[word as keyof typeof WORDS](subject) : [functionArn(subject, `${subject.prefix}${step}`)];
  });
}

/** A manifest's permission as IAM has it; none where there is nothing to permit. */
export function statements(permission: Permission, subject: Subject): PolicyStatement[] {
  const resources = arns(permission, subject);
  return resources.length === 0 ? [] : [new PolicyStatement({ actions: permission.actions, resources })];
}
