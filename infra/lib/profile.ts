import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import Ajv, { type ErrorObject } from 'ajv/dist/2020';
import { parse, stringify, TomlError } from 'smol-toml';

import { HOME } from './home';
import { contradictions, fault, type Table } from './profile-rules';

/** Of the 4 KB that Lambda has for all variables of a function; the others need the rest. */
export const MOST_BYTES = 3072;

/** What this app needs of the application's profile; the rest is the functions' business. */
export interface Profile {
  /** As TOML, without its comments. */
  readonly text: string;
  /** It describes another application than the guide's: it has a `table`. */
  readonly isAnothers: boolean;
  /** `execution.machines`: ARNs, or their beginnings with `*`. */
  readonly machines: readonly string[];
  /** `logs.groups`. */
  readonly logGroups: readonly string[];
}

const SCHEMA = JSON.parse(readFileSync(join(HOME, 'application.schema.json'), 'utf8'));
/** Patterns and bounds are of what has the right type; whoever reads the schema knows which that is. */
const validate = new Ajv({ allErrors: true, verbose: true, strictTypes: false }).compile(SCHEMA);

/**
 * Reads the application's profile.
 *
 * @param faults where what is wrong with it goes, each with its key and what it may be; what is returned then means nothing
 */
export function readProfile(file: string, faults: string[]): Profile | undefined {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    faults.push('there is no such file');
    return undefined;
  }
  const profile = parseToml(readFileSync(file, 'utf8'), faults);
  if (profile === undefined) {
    return undefined;
  }
  faults.push(...profileFaults(profile));
  const text = stringify(profile);
  const size = Buffer.byteLength(text);
  if (size > MOST_BYTES) {
    faults.push(`it has ${size} bytes without its comments, and may have ${MOST_BYTES}: the environment of a function holds no more`);
  }
  const texts = (section: unknown, key: string) => [(section as Table | undefined)?.[key] ?? []].flat() as string[];
  return { text, isAnothers: profile.table !== undefined, machines: texts(profile.execution, 'machines'), logGroups: texts(profile.logs, 'groups') };
}

function parseToml(text: string, faults: string[]): Table | undefined {
  try {
    return parse(text);
  } catch (error) {
    const place = error instanceof TomlError ? ` (line ${error.line}, column ${error.column})` : '';
    faults.push(`it is no TOML: ${(error as Error).message.replace('Invalid TOML document: ', '').split('\n')[0]}${place}`);
    return undefined;
  }
}

/** All that is wrong with a profile, each fault with its key and what it may be. */
export function profileFaults(given: Table): string[] {
  const profile = plain(given) as Record<string, unknown>;
  const errors = validate(profile) ? [] : validate.errors ?? [];
  const told = new Set(errors.map((error) => sentence(profile, error)));
  // How keys go together is asked of the sound ones.
  const sound = structuredClone(profile);
  for (const [section, key] of errors.map(({ instancePath }) => names(instancePath))) {
    if (section !== undefined) {
      delete (key === undefined ? sound : (sound[section] as Record<string, unknown> | undefined) ?? {})[key ?? section];
    }
  }
  const guide = (section: string, key: string) => SCHEMA.properties[section].properties[key].default as string[];
  const isUnsound = profile.execution !== undefined && sound.execution === undefined;
  return [...told, ...contradictions(sound, guide, isUnsound)];
}

/** A date would pass for a table. No key takes null, which TOML does not have. */
function plain(value: unknown): unknown {
  if (value instanceof Date) {
    return null;
  }
  if (Array.isArray(value)) {
    return value.map(plain);
  }
  return typeof value === 'object' ? Object.fromEntries(Object.entries(value as Table).map(([key, of]) => [key, plain(of)])) : value;
}

/** What the schema finds wrong, in the words of the functions' own reader. */
function sentence(profile: Table, { instancePath, keyword, params, parentSchema = {}, data }: ErrorObject): string {
  const path = names(instancePath);
  if (keyword === 'additionalProperties') {
    const known = Object.keys(parentSchema.properties).map((key) => `\`${key}\``).join(', ');
    return `\`${[...path, params.additionalProperty].join('.')}\` is no key of a profile: it may be ${known}`;
  }
  const isEntry = Array.isArray(path.slice(0, -1).reduce((value, name) => (value as Table)[name], profile as unknown));
  const key = (isEntry ? path.slice(0, -1) : path).join('.');
  // Of a list with an entry that is none, the list is told; of one with an unfit text, the text.
  const value = isEntry && keyword !== 'pattern' ? [] : data;
  const noText = parentSchema.type === 'string' && !(typeof data === 'string' && data.trim() !== '') && !isEntry;
  return fault(key, shown(value), noText ? 'a text' : parentSchema.title);
}

/** The keys of a JSON pointer. */
function names(pointer: string): string[] {
  return pointer.split('/').slice(1).map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** A value, for people. */
function shown(value: unknown): string {
  if (value === null) {
    return 'a date';
  }
  if (typeof value === 'object') {
    return Array.isArray(value) ? 'a list' : 'a table';
  }
  return `\`${[...String(value)].slice(0, 80).join('')}\``;
}
