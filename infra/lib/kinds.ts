/**
 * What a setting or a manifest's key may be. One small vocabulary for both, so that every fault reads alike (where, what it
 * is, what it may be) and all faults of a file are told at once.
 */
export interface Kind<T> {
  /** Completes the sentence "must be …". */
  readonly expected: string;
  /** False where the key may be left out. */
  readonly required: boolean;
  /**
   * Returns the value, or adds to `faults`. What is returned after a fault means nothing: whoever started the reading
   * throws when there are any (see {@link throwIfAny}).
   */
  read(value: unknown, at: string, faults: string[]): T;
  /** The value that `-c key=value` stands for, which is always text. Kinds that are text themselves need none. */
  fromText?(text: string): unknown;
}

/** The keys of a table. */
export type Schema = Record<string, Kind<unknown>>;

/** The type of what a schema reads. */
export type Read<S extends Schema> = { readonly [K in keyof S]: S[K] extends Kind<infer T> ? T : never };

function kind<T>(expected: string, accepts: (value: unknown) => boolean, fromText?: (text: string) => unknown): Kind<T> {
  return {
    expected,
    required: true,
    read(value, at, faults) {
      if (!accepts(value)) {
        faults.push(`${at} is ${JSON.stringify(value)}, must be ${expected}`);
      }
      return value as T;
    },
    ...(fromText && { fromText }),
  };
}

function numberFromText(text: string): unknown {
  return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text);
}

/** Text of at least one character. */
export function text(expected = 'a text', pattern = /\S/): Kind<string> {
  return kind(expected, (value) => typeof value === 'string' && pattern.test(value));
}

/** A whole number within bounds, both included. */
export function integer(min: number, max: number): Kind<number> {
  const inBounds = (value: unknown) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return kind(`a whole number from ${min} to ${max}`, inBounds, numberFromText);
}

/** Any number within bounds, both included. */
export function decimal(min = -Infinity, max = Infinity): Kind<number> {
  const expected = max < Infinity ? `a number from ${min} to ${max}` : min > -Infinity ? `a number of at least ${min}` : 'a number';
  return kind(expected, (value) => typeof value === 'number' && value >= min && value <= max, numberFromText);
}

/** true or false. */
export function flag(): Kind<boolean> {
  const fromText = (text: string) => (text === 'true' ? true : text === 'false' ? false : text);
  return kind('true or false', (value) => typeof value === 'boolean', fromText);
}

/** One of a few values. */
export function oneOf<const T extends string | number>(...values: readonly T[]): Kind<T> {
  const fromText = typeof values[0] === 'number' ? numberFromText : undefined;
  return kind(`one of ${values.join(', ')}`, (value) => values.includes(value as T), fromText);
}

/** A list of at least one value. */
export function listOf<T>(item: Kind<T>): Kind<T[]> {
  return {
    expected: 'a list with at least one entry',
    required: true,
    read(value, at, faults) {
      if (!Array.isArray(value) || value.length === 0) {
        faults.push(`${at} is ${JSON.stringify(value)}, must be ${this.expected}`);
        return [];
      }
      return value.map((entry, index) => item.read(entry, `${at}[${index}]`, faults));
    },
    fromText: (text) => text.split(',').map((entry) => entry.trim()),
  };
}

/** A table whose keys are free. */
export function mapOf<T>(item: Kind<T>): Kind<Readonly<Record<string, T>>> {
  return {
    expected: `a table whose values are ${item.expected}`,
    required: true,
    read(value, at, faults) {
      if (!isTable(value)) {
        faults.push(`${at} is ${JSON.stringify(value)}, must be ${this.expected}`);
        return {};
      }
      return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, item.read(entry, `${at}.${key}`, faults)]));
    },
    fromText(text) {
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    },
  };
}

/** A table with the keys of `schema` and no others. */
export function table<S extends Schema>(schema: S): Kind<Read<S>> {
  return {
    expected: `a table with the keys ${Object.keys(schema).join(', ')}`,
    required: true,
    read(value, at, faults) {
      if (!isTable(value)) {
        faults.push(`${at} is ${JSON.stringify(value)}, must be ${this.expected}`);
        return {} as Read<S>;
      }
      const path = (key: string) => (at === '' ? key : `${at}.${key}`);
      for (const key of Object.keys(value).filter((key) => !Object.hasOwn(schema, key))) {
        faults.push(`${path(key)} is unknown, may be one of ${Object.keys(schema).join(', ')}`);
      }
      const entries = Object.entries(schema).flatMap(([key, kind]) => {
        if (value[key] !== undefined) {
          return [[key, kind.read(value[key], path(key), faults)]];
        }
        if (kind.required) {
          faults.push(`${path(key)} is missing, must be ${kind.expected}`);
        }
        return [];
      });
      return Object.fromEntries(entries) as Read<S>;
    },
  };
}

/** The same, but it may be left out. */
export function optional<T>(kind: Kind<T>): Kind<T | undefined> {
  return { ...kind, required: false };
}

/** Throws one error with every fault. */
export function throwIfAny(title: string, faults: readonly string[]): void {
  if (faults.length > 0) {
    throw new Error(`${title}\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
