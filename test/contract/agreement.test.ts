import { beforeAll, describe, expect, test } from 'vitest';
import { LARGE } from '../../src/model/yaml-document.ts';
import { holmesTextFaults } from '../../src/outputs/holmesgpt/output.ts';
import { BAD, GOOD, STRICTER } from './documents.ts';
import { type Loaded, loadInHolmes } from './holmes.ts';

const all = { ...GOOD, ...BAD, ...STRICTER };
let loaded: ReadonlyMap<string, Loaded>;
beforeAll(async () => {
  loaded = await loadInHolmes(new Map(Object.entries(all)));
});

/** What the real HolmesGPT has against a document: it refuses it, or an entry of it does not work. */
function refusals(name: string): string[] {
  const { error, entries } = loaded.get(name) ?? { error: 'was not loaded', entries: {} };
  const failed = Object.entries(entries).filter(([, { state }]) => !['loaded', 'off'].includes(state));
  return [
    ...(error === null ? [] : [error]),
    ...failed.map(([key, entry]) => `${key}: ${entry.state}: ${entry.error}`),
  ];
}

const faultsOf = (text: string): string[] =>
  holmesTextFaults(text, LARGE)
    .faults.filter(({ level }) => level === 'fault')
    .map(({ message }) => message);

describe('a document that HolmesGPT loads', () => {
  test.each(Object.entries(GOOD))('%s', (name, text) => {
    expect(refusals(name)).toEqual([]);
    expect(faultsOf(text)).toEqual([]);
  });
});

describe('a document that HolmesGPT rejects, or with an entry that fails or has no effect', () => {
  test.each(Object.entries(BAD))('%s', (name, text) => {
    expect(refusals(name)).not.toEqual([]);
    expect(faultsOf(text)).not.toEqual([]);
  });
});

describe('a document that HolmesGPT loads with an unintended meaning', () => {
  test.each(Object.entries(STRICTER))('%s', (name, text) => {
    expect(refusals(name)).toEqual([]);
    expect(faultsOf(text)).not.toEqual([]);
  });
});

test.each(Object.entries(GOOD))('a silently ignored field is a warning: %s', (name, text) => {
  const ignored = Object.values(loaded.get(name)?.entries ?? {}).flatMap(({ configs = [] }) =>
    configs.flatMap((config) => config.ignored),
  );
  const warned = holmesTextFaults(text, LARGE).faults.filter(({ level }) => level === 'warning');
  for (const field of ignored)
    expect(warned.map(({ message }) => message)).toContainEqual(expect.stringContaining(`.${field}: `));
});
