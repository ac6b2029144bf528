import { beforeAll, describe, expect, test } from 'vitest';
import { LARGE } from '../../src/model/yaml-document.ts';
import { holmesTextFaults } from '../../src/outputs/holmesgpt/output.ts';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { cases, corpusFolders, wantedEntries } from './generated.ts';
import { type Loaded, loadInHolmes } from './holmes.ts';

let loaded: ReadonlyMap<string, Loaded>;
beforeAll(async () => {
  loaded = await loadInHolmes(new Map([...cases].map(([name, { text }]) => [name, text])));
});

describe('HolmesGPT loads every generated entry, and ignores none', () => {
  test.each([...cases.keys()])('%s', (name) => {
    const { error, entries } = loaded.get(name) ?? { error: 'was not loaded', entries: {} };
    const off = cases.get(name)?.off ?? [];
    expect(error).toBeNull();
    expect(Object.keys(entries)).toContain('kubernetes/core');
    for (const [entry, { state, error: why, configs = [] }] of Object.entries(entries)) {
      expect({ entry, state, why }).toEqual({
        entry,
        state: off.includes(entry) ? 'off' : 'loaded',
        why: off.includes(entry) ? undefined : null,
      });
      expect({ entry, ignored: configs.flatMap(({ ignored }) => ignored) }).toEqual({ entry, ignored: [] });
    }
  });
});

describe('our own check agrees', () => {
  test.each([...cases])('%s', (_, { text, notes, refused }) => {
    expect(holmesTextFaults(text, LARGE).faults).toEqual([]);
    expect(OUTPUTS.faultsOf({ 'toolset.json': '{"tools":[]}', 'custom_toolset.yaml': text })).toEqual([]);
    expect(notes.filter(({ where }) => where.startsWith('custom_toolset.yaml'))).toEqual([]);
    expect(notes.filter(({ what }) => /^(is not merged|changes nothing now)/.test(what))).toHaveLength(
      refused,
    );
  });
});

test('each toolset that a detector configures was loaded at least once, and with several instances', () => {
  const entries = [...loaded.values()].flatMap((file) => Object.entries(file.entries));
  const names = new Set(entries.map(([name]) => name));
  expect(wantedEntries.filter((name) => !names.has(name))).toEqual([]);
  expect(entries.some(([, { type }]) => type === 'mcp')).toBe(true);
  expect(entries.some(([, { configs = [] }]) => configs.length > 2)).toBe(true);
});

if (corpusFolders.length === 0)
  test.skip('the corpus: there is no ../shared/corpus; the fixtures cover the same rules', () => {});
