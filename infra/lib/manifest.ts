import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { parse } from 'smol-toml';

import * as kinds from './kinds';
import { type Permission, RESOURCE, stepOf } from './permissions';

/** CloudWatch takes any multiple of a minute; these are enough for alarms that act on what lasts for minutes. */
const PERIODS = [60, 120, 300, 600, 900, 1800, 3600] as const;

const ALARM = {
  name: kinds.text('lower-case words joined by -', /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/),
  metric: kinds.text(),
  description: kinds.text(),
  statistic: kinds.text('Average, Maximum, Minimum, SampleCount, Sum or a percentile like p95',
    /^(Average|Maximum|Minimum|SampleCount|Sum|p\d{1,2}(\.\d+)?)$/),
  threshold: kinds.decimal(),
  comparison: kinds.oneOf(ComparisonOperator.GREATER_THAN_THRESHOLD, ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    ComparisonOperator.LESS_THAN_THRESHOLD, ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD),
  period_seconds: kinds.oneOf(...PERIODS),
  evaluation_periods: kinds.integer(1, 100),
  // How many of the periods have to breach, where not all of them.
  datapoints_to_alarm: kinds.optional(kinds.integer(1, 100)),
  missing_data: kinds.optional(kinds.oneOf(...Object.values(TreatMissingData))),
  // For what no step answers by itself: people are told.
  tell: kinds.optional(kinds.flag()),
};

const PERMISSION = {
  // No wildcards: which calls a step makes is known when it is written.
  actions: kinds.listOf(kinds.text('an action like states:StopExecution, without *', /^[a-z][a-z0-9-]*:[A-Z][A-Za-z0-9]*$/)),
  resources: kinds.listOf(kinds.text(RESOURCE.expected, RESOURCE.pattern)),
  why: kinds.text('a sentence that says what the step needs this for', /\S\s\S/),
};

/** What Step Functions says of an execution. */
const STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'] as const;

/** Trigger kinds with the keys of each. */
const TRIGGERS = {
  'execution-status': { statuses: kinds.optional(kinds.listOf(kinds.oneOf(...STATUSES))) },
  alarm: { alarm: kinds.text('the name of an alarm that a manifest defines') },
  schedule: { every_minutes: kinds.integer(1, 31 * 24 * 60) },
  deployment: {},
} satisfies Record<string, kinds.Schema>;

const MANIFEST = {
  name: kinds.text('lower-case words joined by -', /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/),
  guide: kinds.text(),
  description: kinds.text('a text of at most 256 characters, as Lambda has it', /^[^]{1,256}$/),
  timeout_seconds: kinds.integer(1, 900),
  memory_mb: kinds.integer(128, 10_240),
  // mode, ledger and limits are the function's own business (it reads this file too). They are checked here all the same:
  // a slip should stop a deployment, not the first run.
  mode: kinds.optional(kinds.oneOf('observe', 'propose', 'act')),
  ledger: kinds.optional(kinds.oneOf('database', 'log')),
  limits: kinds.optional(kinds.table({
    actions_per_run: kinds.optional(kinds.integer(0, 1_000_000)),
    actions_per_hour: kinds.optional(kinds.integer(0, 1_000_000)),
    share_of_candidates: kinds.optional(kinds.decimal(0, 1)),
    cooldown_seconds: kinds.optional(kinds.integer(0, 31 * 24 * 3600)),
    attempts_per_target: kinds.optional(kinds.integer(0, 1_000_000)),
  })),
  // Numbers that only the step itself knows.
  policy: kinds.optional(kinds.mapOf(kinds.decimal(0))),
  triggers: kinds.optional(kinds.listOf(trigger())),
  alarms: kinds.optional(kinds.listOf(kinds.table(ALARM))),
  permissions: kinds.optional(kinds.listOf(kinds.table(PERMISSION))),
};

/** What starts a step by itself. */
export type Trigger = {
  [K in keyof typeof TRIGGERS]: { readonly kind: K } & kinds.Read<(typeof TRIGGERS)[K]>;
}[keyof typeof TRIGGERS];

/** An alarm on a metric that this step measures. */
export type AlarmDefinition = kinds.Read<typeof ALARM>;

/** `functions/<name>/manifest.toml`: what a step is, when it starts, what it may do. */
export interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly timeoutSeconds: number;
  readonly memoryMb: number;
  readonly triggers: readonly Trigger[];
  readonly alarms: readonly AlarmDefinition[];
  readonly permissions: readonly Permission[];
}

/**
 * Reads the manifest of every folder in `dir`, in the order of their names.
 *
 * @throws with every fault of all manifests, each naming file, key and what it may be
 */
export function readManifests(dir: string): Manifest[] {
  const folders = existsSync(dir)
    ? readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort()
    : [];
  if (folders.length === 0) {
    throw new Error(`setting functionsDir: ${dir} holds no function's folder`);
  }
  const faults: string[] = [];
  const manifests = folders.map((folder) => readManifest(dir, folder, faults));
  kinds.throwIfAny('The manifests have faults:', faults.length > 0 ? faults : crossCheck(manifests));
  return manifests;
}

function readManifest(dir: string, folder: string, faults: string[]): Manifest {
  const file = join(dir, folder, 'manifest.toml');
  const own: string[] = [];
  const source = parseToml(file, own);
  const read = own.length > 0 ? ({} as kinds.Read<typeof MANIFEST>) : kinds.table(MANIFEST).read(source, '', own);
  if (own.length === 0 && read.name !== folder) {
    own.push(`name is ${JSON.stringify(read.name)}, must be ${JSON.stringify(folder)} like its folder`);
  }
  faults.push(...own.map((fault) => `${file}: ${fault}`));
  return {
    name: read.name,
    description: read.description,
    timeoutSeconds: read.timeout_seconds,
    memoryMb: read.memory_mb,
    triggers: read.triggers ?? [],
    alarms: read.alarms ?? [],
    permissions: read.permissions ?? [],
  };
}

function parseToml(file: string, faults: string[]): unknown {
  if (!existsSync(file)) {
    faults.push('is missing: every folder beside it is a function and has one');
    return undefined;
  }
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (error) {
    faults.push((error as Error).message);
    return undefined;
  }
}

/** Faults that no manifest shows by itself. */
function crossCheck(manifests: readonly Manifest[]): string[] {
  const alarms = manifests.flatMap((manifest) => manifest.alarms.map((alarm) => alarm.name));
  const twice = alarms
    .filter((name, index) => alarms.indexOf(name) !== index)
    .map((name) => `alarm ${JSON.stringify(name)} is defined twice`);
  const repeated = manifests.flatMap(({ name, triggers }) => {
    const keys = triggers.map((trigger) => (trigger.kind === 'alarm' ? `alarm ${trigger.alarm}` : trigger.kind));
    return keys.filter((key, index) => keys.indexOf(key) !== index).map((key) => `${name}: the trigger ${key} is there twice`);
  });
  const never = manifests.flatMap((manifest) => manifest.alarms
    .filter(({ datapoints_to_alarm: needed = 1, evaluation_periods: periods }) => needed > periods)
    .map((alarm) => `alarm ${JSON.stringify(alarm.name)} can never go off: datapoints_to_alarm is ${alarm.datapoints_to_alarm}, `
      + `must be at most its evaluation_periods, ${alarm.evaluation_periods}`));
  const unknown = manifests.flatMap((manifest) => manifest.triggers
    .filter((trigger) => trigger.kind === 'alarm')
    .filter((trigger) => !alarms.includes(trigger.alarm))
    .map((trigger) => `${manifest.name}: triggers name the alarm ${JSON.stringify(trigger.alarm)}, which no manifest `
      + `defines; may be one of ${alarms.join(', ')}`));
  const names = manifests.map(({ name }) => name);
  const strangers = manifests.flatMap(({ name, permissions }) => permissions.flatMap(({ resources }) => resources)
    .map(stepOf)
    .filter((step) => step !== undefined && !names.includes(step))
    .map((step) => `${name}: permissions name the step ${JSON.stringify(step)}, may be one of ${names.join(', ')}`));
  return [...twice, ...repeated, ...never, ...unknown, ...strangers];
}

/** A trigger's keys depend on its kind, which no plain table can say. */
function trigger(): kinds.Kind<Trigger> {
  const kind = kinds.oneOf(...(Object.keys(TRIGGERS) as Trigger['kind'][]));
  return {
    expected: `a table with a kind, ${kind.expected}`,
    required: true,
    read(value, at, faults) {
      const named = kinds.isTable(value) ? value.kind : undefined;
      const found = Object.entries(TRIGGERS).find(([name]) => name === named);
      // Without a known kind nothing can be said about the other keys.
      return found === undefined
        ? (kind.read(named, `${at}.kind`, faults) as never)
        : (kinds.table({ kind, ...found[1] }).read(value, at, faults) as Trigger);
    },
  };
}
