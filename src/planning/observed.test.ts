import { describe, expect, test } from 'vitest';
import type { Documents } from '../model/documents.ts';
import { contentHash } from './content-hash.ts';
import { observe } from './observed.ts';

let reads = 0;
const reader = {
  names: ['a.json', 'b.yaml'],
  read(documents: Documents) {
    reads += 1;
    return { documents, tools: [] };
  },
};
const live = (data: Documents, hash?: string) => ({
  data: { ...data, 'overrides.yaml': '' },
  labels: {},
  annotations: hash === undefined ? {} : { 'kubernaut.io/content-hash': hash },
});
const documentsIn = (...args: Parameters<typeof live>) => observe(live(...args), reader)?.toolset?.documents;

describe('our documents in what is published', () => {
  const all = { 'a.json': '1', 'b.yaml': '2' };
  const some = { 'a.json': '1' };
  test('are those that outputs name, and are read once', () => {
    reads = 0;
    expect(documentsIn(all)).toEqual(all);
    expect(reads).toBe(1);
  });
  test('are none if one is missing that was published', () => {
    expect(documentsIn(some, contentHash(all))).toBeUndefined();
    expect(documentsIn(some)).toBeUndefined();
    expect(documentsIn({}, contentHash({}))).toBeUndefined();
  });
  test('are those of a version with fewer outputs, untouched since', () => {
    expect(documentsIn(some, contentHash(some))).toEqual(some);
  });
  test('are none if nothing is published', () => {
    expect(observe(undefined, reader)).toBeUndefined();
  });
});
