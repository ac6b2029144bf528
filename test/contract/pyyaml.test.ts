import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { holmesPython } from '../../scripts/holmes-venv.ts';
import type { Mapping } from '../../src/model/mapping.ts';
import { holmesText } from '../../src/outputs/holmesgpt/render/text.ts';
import { edited, readMapping } from '../../src/outputs/holmesgpt/yaml.ts';
import { SCALE } from '../scale.ts';
import { SCALARS } from './scalars.ts';

/** What PyYAML makes of a text; see `pyyaml.py`. */
type Read =
  | { readonly entries: readonly (readonly [key: unknown, value: unknown])[] }
  | { readonly error: string };

const SIGNS = [...'018_.+-:ebxoyN=<'];
const short = SIGNS.flatMap((a) => [a, ...SIGNS.flatMap((b) => [a + b, ...SIGNS.map((c) => a + b + c)])]);
const long = fc.sample(
  fc.oneof(
    fc.string({ unit: fc.constantFrom(...'0123456789_.+-:eE'), minLength: 4, maxLength: 12 }),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdefx_'), minLength: 4, maxLength: 18 }),
    fc.double({ noNaN: true }).map((number) => number.toExponential()),
    fc
      .tuple(
        fc.constantFrom('', '+', '-'),
        fc.array(fc.nat(99), { minLength: 2, maxLength: 5 }),
        fc.constantFrom('', '.', '.3', '.07'),
      )
      .map(([sign, parts, fraction]) => `${sign}${parts.join(':')}${fraction}`),
    fc
      .tuple(fc.constantFrom(...SCALARS.map(([source]) => source)), fc.constantFrom(...SIGNS))
      .map(([source, sign]) => source + sign),
  ),
  3000 * SCALE,
);
/** Plain scalars. The first and the last sign could otherwise begin a list or be the end of a key. */
const WORDS = [...new Set([...SCALARS.map(([source]) => source), ...short, ...long])].filter(
  (word) => word !== '-' && !word.endsWith(':'),
);
const NUMBERS = fc
  .sample(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()), 2000 * SCALE)
  .concat(1e-7, 1e21, 1.5e300, 5e-324);

const KEYS = WORDS.map((word) => `${word}: 1\n`).filter((text) => !text.startsWith('<<:'));
const PLAIN = WORDS.map((word) => `a: ${word}\n`);
const readValue = (text: string): unknown => {
  const read = readMapping(text);
  return 'value' in read ? read.value : undefined;
};
/** The same with another key, for which the text is written anew. */
const rewritten = (text: string): string => edited(text, { ...(readValue(text) as Mapping), more: 'y' });
const readable = PLAIN.filter((text) => readValue(text) !== undefined);

const ASKED = {
  values: PLAIN,
  keys: KEYS,
  rewritten: readable.map(rewritten),
  rewrittenKeys: KEYS.map(rewritten),
  written: WORDS.map((word) => holmesText({ [word]: word })),
  added: WORDS.map((word) => edited('a: 1 # one\n', { a: 1, [word]: word })),
  numbers: NUMBERS.map((number) => holmesText({ a: number })),
  addedNumbers: NUMBERS.map((number) => edited('b: 1\n', { a: number, b: 1 })),
};

const answers = {} as Record<keyof typeof ASKED, Read[]>;
beforeAll(async () => {
  const python = await holmesPython((line) => console.error(line));
  const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-pyyaml-'));
  try {
    const list = join(folder, 'list.json');
    await writeFile(list, JSON.stringify(Object.values(ASKED).flat()));
    const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'pyyaml.py'), list], {
      timeout: 180_000 * SCALE,
      maxBuffer: 1024 * 1024 * 1024,
    });
    const all = JSON.parse(stdout) as Read[];
    for (const [name, texts] of Object.entries(ASKED))
      answers[name as keyof typeof ASKED] = all.splice(0, texts.length);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 240_000 * SCALE);

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** What the program must read where PyYAML reads this: `undefined` if nothing. A date is a text here. */
function expected(read: Read | undefined): unknown {
  if (read === undefined || 'error' in read) return undefined;
  const [[, value] = []] = read.entries;
  if (!isObject(value)) return { a: value };
  return 'date' in value ? { a: value.date } : undefined;
}

/** Those that differ, as JSON: 0 is the same as -0. */
function differences(
  texts: readonly string[],
  ours: (at: number) => unknown,
  theirs: (at: number) => unknown,
): string[] {
  return texts.flatMap((text, at) => {
    const [mine, its] = [JSON.stringify(ours(at)), JSON.stringify(theirs(at))];
    return mine === its ? [] : [`${text.trim()}: ${mine}, but PyYAML ${its}`];
  });
}

const entriesOf = (read: Read | undefined): unknown =>
  read === undefined ? undefined : 'error' in read ? read.error : read.entries;

test('a value is what it is in PyYAML, or is refused where PyYAML refuses it', () => {
  expect(PLAIN.length).toBeGreaterThan(6000);
  expect(
    differences(
      PLAIN,
      (at) => readValue(PLAIN[at] ?? ''),
      (at) => expected(answers.values[at]),
    ),
  ).toEqual([]);
});

test('a key that is a text in PyYAML is the same text, and any other key the text that is written', () => {
  const theirs = (at: number): unknown => {
    const [read, text = ''] = [answers.keys[at], KEYS[at]];
    // Such as `0x_`, which is a key like others for the program.
    if (read === undefined || 'error' in read) return readValue(text);
    const [[key] = []] = read.entries;
    return { [typeof key === 'string' ? key : text.slice(0, text.lastIndexOf(':'))]: 1 };
  };
  expect(differences(KEYS, (at) => readValue(KEYS[at] ?? ''), theirs)).toEqual([]);
});

test('a text that is written reads back in PyYAML, as a key and as a value', () => {
  const ours = (at: number): unknown => [[WORDS[at], WORDS[at]]];
  expect(differences(ASKED.written, ours, (at) => entriesOf(answers.written[at]))).toEqual([]);
});

test('a text that is added to a hand-written text reads back in PyYAML', () => {
  const theirs = (at: number): unknown => {
    const read = entriesOf(answers.added[at]);
    return Array.isArray(read) ? Object.fromEntries(read) : read;
  };
  expect(differences(ASKED.added, (at) => ({ a: 1, [WORDS[at] ?? '']: WORDS[at] }), theirs)).toEqual([]);
});

test('what stays in a hand-written text that is changed stays the same in PyYAML', () => {
  const before = new Map(PLAIN.map((text, at) => [text, answers.values[at]]));
  const theirs = (at: number): unknown => {
    const read = before.get(readable[at] ?? '');
    return [...(entriesOf(read) as unknown[]), ['more', 'y']];
  };
  expect(differences(readable, (at) => entriesOf(answers.rewritten[at]), theirs)).toEqual([]);
});

test('a key that stays is the text that the program read', () => {
  const theirs = (at: number): unknown => {
    const entries = entriesOf(answers.rewrittenKeys[at]) as [unknown, unknown][];
    return Object.fromEntries(
      entries.map(([key, value]) => [isObject(key) ? Object.values(key)[0] : key, value]),
    );
  };
  expect(
    differences(KEYS, (at) => ({ ...(readValue(KEYS[at] ?? '') as Mapping), more: 'y' }), theirs),
  ).toEqual([]);
});

test('a number that is written is the same number in PyYAML', () => {
  const theirs = (read: Read | undefined): unknown => {
    if (read === undefined || 'error' in read) return read;
    const value = Object.fromEntries(read.entries).a;
    return isObject(value) && 'inexact' in value ? Number(value.inexact) : value;
  };
  for (const kind of ['numbers', 'addedNumbers'] as const)
    expect(
      differences(
        ASKED[kind],
        (at) => NUMBERS[at],
        (at) => theirs(answers[kind][at]),
      ),
    ).toEqual([]);
});
