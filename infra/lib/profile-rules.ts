/** What of a profile no JSON Schema can say: how its keys go together. The sentences are those of the functions' own reader. */

/** A table of a profile. */
export type Table = Readonly<Record<string, unknown>>;

/** The tables that a text may stand for: it is their `column`. */
const SHORT = ['status', 'error', 'result'];

/** The lists of statuses, in the order in which a word that is there twice is told. */
const STATUSES = ['pending', 'processing', 'waiting', 'completed', 'failed', 'timed_out', 'cancelled', 'ignored'];

/** What may be told beside the guide's own words. */
const BESIDE = ['waiting', 'ignored'];

/** "`key` is value: it must be expected". */
export function fault(key: string, value: string, expected: string): string {
  return `\`${key}\` is ${value}: it must be ${expected}`;
}

/** Every fault of how the keys go together. `guide` tells the guide's words for a key; `isUnsound`: what is said of executions is wrong, and told. */
export function contradictions(profile: Table, guide: (section: string, key: string) => readonly string[], isUnsound: boolean): string[] {
  const section = (key: string): Table | undefined => {
    const given = profile[key];
    return typeof given === 'string' && SHORT.includes(key) ? { column: given } : (given as Table | undefined);
  };
  const isAnothers = profile.table !== undefined;
  const [times, execution] = [section('times'), section('execution')];
  return [
    ...statuses(section('status') ?? {}, (key) => guide('status', key)),
    ...codes(section('codes') ?? {}, (key) => guide('codes', key)),
    ...error(section('error'), isAnothers),
    ...deadlines(section('deadlines') ?? {}, isAnothers && profile.type === undefined),
    ...(isAnothers && times?.created === undefined && times?.started === undefined
      ? [fault('times', 'without `created` and `started`', 'a table that names one of these columns')]
      : []),
    ...((execution === undefined ? isAnothers && !isUnsound : true) && [execution?.arn, execution?.input, execution?.name].every((way) => way === undefined)
      ? [fault('execution', 'without `arn`, `input` and `name`', 'a table with one of them: else nothing links a row to its execution')]
      : []),
  ];
}

function words(given: unknown): readonly string[] | undefined {
  return typeof given === 'string' ? [given] : (given as string[] | undefined);
}

function statuses(status: Table, guide: (key: string) => readonly string[]): string[] {
  const named = (key: string) => words(status[key]) ?? [];
  const anew = STATUSES.some((key) => !BESIDE.includes(key) && named(key).length > 0);
  const missing = ['processing', 'completed', 'failed'].filter((key) => anew && named(key).length === 0);
  return [
    ...missing.map((key) => fault(`status.${key}`, 'missing', "the application's words for it, the one that is written first")),
    ...overlaps('status', STATUSES.map((key) => [key, anew || BESIDE.includes(key) ? named(key) : guide(key)])),
  ];
}

function codes(given: Table, guide: (key: string) => readonly string[]): string[] {
  return overlaps('codes', ['cancelled', 'transient', 'permanent'].map((key) => [key, words(given[key]) ?? guide(key)]));
}

/** Words that stand in two lists, or twice in one. */
function overlaps(section: string, lists: readonly (readonly [string, readonly string[]])[]): string[] {
  const all = lists.flatMap(([key, list]) => list.map((word) => ({ key, word })));
  return all.flatMap(({ key, word }, at) => {
    const first = all.slice(0, at).find((before) => before.word === word);
    return first === undefined ? [] : [fault(`${section}.${key}`, `\`${word}\`, which is in \`${first.key}\` too`, 'a word of its own')];
  });
}

function error(given: Table | undefined, isAnothers: boolean): string[] {
  if (given === undefined) {
    return [];
  }
  const [one, code, message] = ['column', 'code_column', 'message_column'].map((key) => given[key] !== undefined);
  if (!one && !code && !message) {
    return isAnothers ? [fault('error.column', 'missing', 'a column, or `code_column` and `message_column`')] : [];
  }
  const whole = one ? !code && !message : code && message;
  return whole ? [] : [fault('error.column', 'half said', 'either `column`, or `code_column` and `message_column`')];
}

function deadlines(given: Table, withoutTypes: boolean): string[] {
  return withoutTypes && Object.keys(given).some((type) => type !== 'default')
    ? [fault('deadlines.default', 'not alone', "the only one, unless `type` names the column of the processes' types")]
    : [];
}
