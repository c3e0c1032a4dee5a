import { resolve } from 'node:path';

import type { Node } from 'constructs';

import * as kinds from './kinds';
import { type Profile, readProfile } from './profile';
import { fault } from './profile-rules';

const seconds = () => kinds.optional(kinds.integer(0, 365 * 24 * 3600));
const topicArn = () => kinds.optional(kinds.text("a topic's ARN, arn:aws:sns:<region>:<account>:<name>",
  /^arn:[\w-]+:sns:[\w-]+:\d{12}:[\w-]+$/));
const email = () => kinds.optional(kinds.text('an e-mail address', /^[^@\s]+@[^@\s]+$/));
const days = (atLeast: number) => kinds.optional(kinds.integer(atLeast, 36_500));

/** Log groups keep their events for these numbers of days and no others. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653] as const;

const SETTINGS = {
  // What is looked after.
  stateMachineArn: kinds.text('the ARN of the state machine to look after, arn:aws:states:<region>:<account>:stateMachine:<name>',
    /^arn:[\w-]+:states:[\w-]+:\d{12}:stateMachine:[^:*\s]+$/),
  workerFunctionName: kinds.optional(kinds.text("a function's name", /^[\w-]{1,64}$/)),
  applicationFunctionNames: kinds.optional(kinds.listOf(kinds.text("a function's name", /^[\w-]{1,64}$/))),
  // Where a function does not log to /aws/lambda/<name>: its log group, by function.
  logGroups: kinds.optional(kinds.mapOf(kinds.text("a log group's name", /^[\w./#-]{1,512}$/))),
  bedrockModelIds: kinds.optional(kinds.listOf(kinds.text('a model id, as CloudWatch has it', /^[^\s,]{1,255}$/))),
  workerAlias: kinds.optional(kinds.text("an alias' name", /^[\w-]{1,128}$/)),
  // How the application keeps its processes; a setting of its own wins over what stands there.
  applicationProfile: kinds.optional(kinds.text("the path of the application's profile")),
  processingStateTable: kinds.optional(kinds.text('<schema>.<table> or <table>', /^[^.\s]+(\.[^.\s]+)?$/)),
  processDeadlineSeconds: seconds(),
  startDeadlineSeconds: seconds(),
  settleSeconds: seconds(),
  timedOutStatus: kinds.optional(kinds.oneOf('FAILED', 'TIMEOUT')),
  resultPath: kinds.optional(kinds.text('a path like $.generationResult.Payload', /^\$/)),
  requireResult: kinds.optional(kinds.flag()),
  approvalRequiresBy: kinds.optional(kinds.flag()),
  remediationMode: kinds.optional(kinds.oneOf('observe', 'propose', 'act')),
  textLanguage: kinds.optional(kinds.oneOf('ja', 'en')),
  thresholds: kinds.optional(kinds.mapOf(kinds.decimal())),
  // How long the ledger is kept. The least of each is what something is still counted by.
  retentionActionsDays: days(32),
  retentionRunsDays: days(2),
  retentionExecutionsDays: days(90),
  retentionRefusedWritesDays: days(1),

  // Its database: one of three ways.
  databaseUrl: kinds.optional(kinds.text('postgres://<user>:<password>@<host>:<port>/<database>', /^postgres(ql)?:\/\/\S+$/)),
  // With its six random characters: IAM compares the whole ARN.
  databaseSecretArn: kinds.optional(kinds.text(
    "a secret's full ARN, arn:aws:secretsmanager:<region>:<account>:secret:<name>-<6 characters>",
    /^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:[^*\s]+-\w{6}$/,
  )),
  databaseHost: kinds.optional(kinds.text('a host name', /^[\w.-]+$/)),
  databasePort: kinds.optional(kinds.integer(1, 65_535)),
  databaseName: kinds.optional(kinds.text()),
  databaseUser: kinds.optional(kinds.text('a database user', /^[^\s*/]+$/)),
  databaseResourceId: kinds.optional(kinds.text('the id of the instance, cluster or proxy: db-…, cluster-… or prx-…',
    /^(db|cluster|prx)-\w+$/)),
  // What relieve-database may end there, and what reboot-database proposes to reboot.
  databaseApplicationNames: kinds.optional(kinds.listOf(kinds.text('an application name, up to 63 characters, or user:<user>[@<network>]', /^(user:[^,]{1,110}|[^,]{1,63})$/))),
  idleInTransactionSeconds: seconds(),
  blockingSeconds: seconds(),
  longQuerySeconds: seconds(),
  databaseInstanceId: kinds.optional(kinds.text("an RDS instance's identifier", /^[A-Za-z][A-Za-z0-9-]{0,62}$/)),
  subnetIds: kinds.optional(kinds.listOf(kinds.text('a subnet id like subnet-0123abcd', /^subnet-[0-9a-f]{8,17}$/))),
  securityGroupIds: kinds.optional(kinds.listOf(kinds.text('a security group id like sg-0123abcd', /^sg-[0-9a-f]{8,17}$/))),

  // Who is told.
  notifyTopicArn: topicArn(),
  notifyEmail: email(),
  // Of an incident that nobody fixes: level by level, and when.
  escalationL1TopicArn: topicArn(),
  escalationL1Email: email(),
  escalationL2TopicArn: topicArn(),
  escalationL2Email: email(),
  escalationL3TopicArn: topicArn(),
  escalationL3Email: email(),
  escalateAfterSeconds: seconds(),
  escalationL2Seconds: seconds(),
  escalationL3Seconds: seconds(),

  // The stack itself.
  // Short, so that CloudFormation need not shorten it where it names the rules after it: DeadLetters knows them by that.
  stackName: kinds.optional(kinds.text('up to 20 letters, digits or -, the first a letter', /^[A-Za-z][A-Za-z0-9-]{0,19}$/)),
  prefix: kinds.optional(kinds.text('up to 30 letters, digits, - or _', /^[\w-]{1,30}$/)),
  architecture: kinds.optional(kinds.oneOf('x86_64', 'arm64')),
  codeDir: kinds.optional(kinds.text('a folder')),
  functionsDir: kinds.optional(kinds.text('a folder')),
  logRetentionDays: kinds.optional(kinds.oneOf(...RETENTION_DAYS)),
  reservedConcurrency: kinds.optional(kinds.mapOf(kinds.integer(0, 1000))),
  migrateOnDeploy: kinds.optional(kinds.flag()),
  endpointUrl: kinds.optional(kinds.text('a URL', /^https?:\/\/\S+$/)),
};

/** All that there are. */
export const SETTING_NAMES: readonly string[] = Object.keys(SETTINGS);

type Given = kinds.Read<typeof SETTINGS>;

/** How the functions reach the database. */
export type DatabaseSettings =
  | { readonly kind: 'url'; readonly url: string }
  | ({ readonly kind: 'secret'; readonly secretArn: string; readonly host?: string | undefined } & DatabasePlace)
  | ({ readonly kind: 'iam'; readonly host: string; readonly user: string; readonly resourceId: string } & DatabasePlace);

/** What a secret may lack: one that RDS manages itself holds user and password only. */
interface DatabasePlace {
  readonly port?: number | undefined;
  readonly name?: string | undefined;
}

/** The network that the functions run in, where the database cannot be reached from outside it. */
export interface NetworkSettings {
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
}

/**
 * Everything that an installation can set, in cdk.json's `context` or with `-c key=value`. README.md explains each.
 * What has no default here has one in the functions, and is passed to them only where it is set.
 */
export interface Settings extends Omit<Given, 'applicationProfile' | 'applicationFunctionNames' | 'subnetIds' | 'securityGroupIds'
  | `database${'Url' | 'SecretArn' | 'Host' | 'Port' | 'Name' | 'User' | 'ResourceId'}`> {
  readonly database: DatabaseSettings;
  readonly network: NetworkSettings | undefined;
  /** What stands in `applicationProfile`. */
  readonly profile: Profile | undefined;
  /** Without it the steps that change the worker are off. */
  readonly workerFunctionName: string | undefined;
  readonly applicationFunctionNames: readonly string[];
  readonly logGroups: Readonly<Record<string, string>>;
  readonly thresholds: Readonly<Record<string, number>>;
  readonly stackName: string;
  readonly prefix: string;
  readonly architecture: 'x86_64' | 'arm64';
  /** Absolute. */
  readonly codeDir: string;
  /** Absolute. */
  readonly functionsDir: string;
  readonly logRetentionDays: (typeof RETENTION_DAYS)[number];
  readonly reservedConcurrency: Readonly<Record<string, number>>;
  readonly migrateOnDeploy: boolean;
}

/**
 * Reads the settings from the app's context.
 *
 * @param home the folder that relative paths start from
 * @throws with every fault, each naming the setting and what it may be
 */
export function readSettings(node: Node, home: string): Settings {
  return parseSettings(node.getAllContext() as Record<string, unknown>, home);
}

/** The same from a plain table. */
export function parseSettings(context: Record<string, unknown>, home: string): Settings {
  // The CLI's own keys and the CDK's feature flags share the context. All of them have one of these characters.
  const ours = Object.entries(context).filter(([key]) => !/[@:/]/.test(key));
  const faults: string[] = [];
  const given = kinds.table(SETTINGS).read(Object.fromEntries(ours.map(([key, value]) => [key, typed(key, value)])), '', faults);
  const database = databaseSettings(given, faults);
  const network = networkSettings(given, faults);
  checkEscalation(given, faults);
  const profile = applicationProfile(given, home, faults);
  kinds.throwIfAny('The settings (cdk.json context, or -c key=value) have faults:', faults);
  const { applicationProfile: _, ...rest } = given;
  return {
    ...rest,
    database: database as DatabaseSettings,
    network,
    profile,
    ...functionNames(given, profile),
    logGroups: given.logGroups ?? {},
    thresholds: given.thresholds ?? {},
    stackName: given.stackName ?? 'Remediation',
    prefix: given.prefix ?? 'remediation-',
    architecture: given.architecture ?? 'x86_64',
    codeDir: resolve(home, given.codeDir ?? '../target/lambda'),
    functionsDir: resolve(home, given.functionsDir ?? '../functions'),
    logRetentionDays: given.logRetentionDays ?? 90,
    reservedConcurrency: given.reservedConcurrency ?? {},
    migrateOnDeploy: given.migrateOnDeploy ?? true,
  };
}

/** In another application's account the guide's names may be those of a system that this installation does not look after. */
function functionNames({ workerFunctionName, applicationFunctionNames }: Given, profile: Profile | undefined) {
  return profile?.isAnothers
    ? { workerFunctionName, applicationFunctionNames: applicationFunctionNames ?? [] }
    : {
        workerFunctionName: workerFunctionName ?? 'ai-generation-worker',
        applicationFunctionNames: applicationFunctionNames
          ?? ['async-processing-handler', 'status-check-handler', 'retry-handler', 'cancel-handler'],
      };
}

/** cdk.json has types, `-c` knows text only. */
function typed(key: string, value: unknown): unknown {
  const kind: kinds.Kind<unknown> | undefined = SETTINGS[key as keyof typeof SETTINGS];
  return typeof value === 'string' && kind?.fromText ? kind.fromText(value) : value;
}

function databaseSettings(given: Given, faults: string[]): DatabaseSettings | undefined {
  const { databaseUrl, databaseSecretArn, databaseHost, databaseUser, databaseResourceId } = given;
  // Beside a secret, the host fills in what the secret lacks.
  const iamHost = databaseSecretArn === undefined ? databaseHost : undefined;
  const ways = [databaseUrl, databaseSecretArn, iamHost].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    faults.push('exactly one of databaseUrl (local use only), databaseSecretArn and databaseHost (IAM authentication) '
      + `must be set, not ${ways.length}`);
    return undefined;
  }
  const place = { port: given.databasePort, name: given.databaseName };
  if (iamHost === undefined) {
    const forIam = { databaseUser, databaseResourceId };
    const elsewhere = databaseUrl === undefined ? {} : { databasePort: place.port, databaseName: place.name };
    const idle = Object.entries({ ...forIam, ...elsewhere }).filter(([, value]) => value !== undefined);
    faults.push(...idle.map(([key]) => `${key} goes with databaseHost only`));
    return databaseUrl !== undefined
      ? { kind: 'url', url: databaseUrl }
      : { kind: 'secret', secretArn: databaseSecretArn as string, host: databaseHost, ...place };
  }
  if (databaseUser === undefined || databaseResourceId === undefined) {
    faults.push('databaseHost needs databaseUser and databaseResourceId too');
    return undefined;
  }
  return {
    kind: 'iam',
    host: iamHost,
    user: databaseUser,
    resourceId: databaseResourceId,
    ...place,
  };
}

function networkSettings({ subnetIds, securityGroupIds }: Given, faults: string[]): NetworkSettings | undefined {
  if ((subnetIds === undefined) !== (securityGroupIds === undefined)) {
    faults.push('subnetIds and securityGroupIds must be set together');
  }
  return subnetIds && securityGroupIds ? { subnetIds, securityGroupIds } : undefined;
}

function applicationProfile({ applicationProfile: path, stateMachineArn }: Given, home: string, faults: string[]): Profile | undefined {
  if (typeof path !== 'string') {
    return undefined;
  }
  const [file, own] = [resolve(home, path), [] as string[]];
  const profile = readProfile(file, own);
  // No event comes from elsewhere, and no client looks there.
  const beside = String(stateMachineArn).split(':stateMachine:')[0];
  const elsewhere = profile?.machines.filter((machine) => !machine.startsWith(`${beside}:stateMachine:`)) ?? [];
  if (own.length === 0) {
    own.push(...elsewhere.map((machine) => fault('execution.machines', `\`${machine}\``, 'in the account and region of stateMachineArn')));
  }
  faults.push(...own.map((told) => `applicationProfile ${file}: ${told}`));
  return profile;
}

/** The functions' own defaults, for what is not set. */
function checkEscalation({ escalateAfterSeconds: after = 900, escalationL2Seconds: l2 = 1800, escalationL3Seconds: l3 = 3600 }: Given,
  faults: string[]): void {
  if (after > l2 || l2 >= l3) {
    faults.push(`escalateAfterSeconds (${after}) must be at most escalationL2Seconds (${l2}), and that less than `
      + `escalationL3Seconds (${l3})`);
  }
}
