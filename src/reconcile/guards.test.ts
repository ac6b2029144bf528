import { describe, expect, test } from 'vitest';
import type { Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';
import { drift, massRemoval, sizeFault } from './guards.ts';

const documents = (...names: string[]): Documents => ({
  'toolset.json': JSON.stringify({ tools: names.map((name) => ({ name })) }),
  'custom_toolset.yaml': 'toolsets: {}\n',
});
const live = (...names: string[]): Published => ({ data: documents(...names), labels: {}, annotations: {} });

describe('the size of the documents', () => {
  const sized = (kib: number): Documents => ({
    'toolset.json': 'ü'.repeat(kib * 256),
    'custom_toolset.yaml': 'x'.repeat(kib * 512),
  });
  test('in bytes, and of both together: small enough says nothing', () => {
    expect(sizeFault(sized(500))).toBeUndefined();
  });
  test('over 500 KiB is told, over 900 KiB refused', () => {
    expect(sizeFault(sized(501))).toMatchObject({ refused: false, what: expect.stringContaining('501 KiB') });
    expect(sizeFault(sized(900))).toMatchObject({ refused: false });
    expect(sizeFault(sized(901))).toMatchObject({ refused: true, fix: expect.any(String) });
  });
});

describe('many tools that would go at once', () => {
  const sick = new Set(['a', 'b', 'c', 'd']);
  test.each<[string, string[], string[], string[]]>([
    ['more than half, and three: held', ['a', 'b', 'c', 'x'], ['x'], ['a', 'b', 'c']],
    ['all of three: held', ['a', 'b', 'c'], [], ['a', 'b', 'c']],
    ['two only', ['a', 'b'], [], []],
    ['half only', ['a', 'b', 'c', 'x', 'y', 'z'], ['x', 'y', 'z'], []],
    ['because their Services are gone', ['x', 'y', 'z'], [], []],
    ['none', ['a', 'b', 'c'], ['a', 'b', 'c'], []],
  ])('%s', (_, before, after, held) => {
    expect(massRemoval(live(...before), documents(...after), sick)).toEqual(held);
  });
  test('nothing published, or something else: nothing to hold', () => {
    expect(massRemoval(undefined, documents(), sick)).toEqual([]);
    const edited = { ...live(), data: { 'toolset.json': 'oops' } };
    expect(massRemoval(edited, documents(), sick)).toEqual([]);
  });
});

describe('drift', () => {
  test('names the generated keys that somebody changed or took away', () => {
    const published = documents('a');
    expect(drift(live('a'), published)).toEqual([]);
    expect(drift(live('b'), published)).toEqual(['toolset.json']);
    expect(drift({ ...live(), data: {} }, published)).toEqual(['toolset.json', 'custom_toolset.yaml']);
  });
  test('a key that is not ours is none', () => {
    const published = documents('a');
    const edited = { ...live('a'), data: { ...published, 'overrides.yaml': 'x', other: 'y' } };
    expect(drift(edited, published)).toEqual([]);
  });
  test('a ConfigMap that is gone, or one that is not known, has not drifted', () => {
    expect(drift(undefined, documents('a'))).toEqual([]);
    expect(drift(live('a'), undefined)).toEqual([]);
  });
});
