import { describe, expect, test } from 'vitest';
import type { Documents } from '../model/documents.ts';
import { massRemoval, sizeFault, toolNames } from './guards.ts';

const documents = (...names: string[]): Documents => ({
  'toolset.json': JSON.stringify({ tools: names.map((name) => ({ name })) }),
  'custom_toolset.yaml': 'toolsets: {}\n',
});

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
    expect(massRemoval(documents(...before), documents(...after), sick)).toEqual(held);
  });
  test('nothing published, or something else: nothing to hold', () => {
    expect(massRemoval(undefined, documents(), sick)).toEqual([]);
    expect(massRemoval({ ...documents('a'), 'toolset.json': 'oops' }, documents(), sick)).toEqual([]);
  });
});

describe('names of tools', () => {
  test.each<[string, string[]]>([
    ['{"tools":[{"name":"a"},{"name":"b"}]}', ['a', 'b']],
    ['{"tools":[null,1,"x",{"name":2},{},{"name":"c"}]}', ['c']],
    ['{"tools":{"name":"a"}}', []],
    ['null', []],
    ['[]', []],
    ['', []],
    ['{', []],
  ])('%s', (text, names) => {
    expect(toolNames(text)).toEqual(names);
  });
});
