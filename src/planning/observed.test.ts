import { describe, expect, test } from 'vitest';
import type { Documents } from '../model/documents.ts';
import { contentHash } from './content-hash.ts';
import { observe, observeRevisions } from './observed.ts';

let reads = 0;
const reader = {
  names: ['a.json', 'b.yaml'],
  readsBack: true,
  divisible: ['a.json'],
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

describe('our documents in the published state', () => {
  const all = { 'a.json': '1', 'b.yaml': '2' };
  const some = { 'a.json': '1' };
  test('are those that outputs name, and are read once', () => {
    reads = 0;
    expect(documentsIn(all)).toEqual(all);
    expect(reads).toBe(1);
  });
  test('are none if a published one is missing', () => {
    expect(documentsIn(some, contentHash(all))).toBeUndefined();
    expect(documentsIn(some)).toBeUndefined();
    expect(documentsIn({}, contentHash({}))).toBeUndefined();
  });
  test('are those of a version with fewer outputs, if unchanged', () => {
    expect(documentsIn(some, contentHash(some))).toEqual(some);
  });
  describe('that are divided', () => {
    const divided = { ...all, 'a.json#2': '3', 'a.json#3': '4' };
    const counted = (data: Documents) =>
      observe({ ...live(data), annotations: { 'kubernaut.io/shards': '3' } }, reader);
    test('are complete with all of their parts', () => {
      expect(counted(divided)?.toolset?.documents).toEqual(divided);
      expect(counted(divided)?.names).toEqual(['a.json', 'b.yaml', 'a.json#2', 'a.json#3']);
    });
    test('are none if a part is missing', () => {
      expect(counted({ ...all, 'a.json#3': '4' })?.toolset).toBeUndefined();
      expect(counted(all)?.toolset).toBeUndefined();
      expect(counted(all)?.present.documents).toEqual(all);
    });
    test('have no parts of a document that is never divided', () => {
      expect(documentsIn({ ...all, 'b.yaml#2': 'x', 'a.json#x': 'y', 'a.json#1': 'z' })).toEqual(all);
    });
  });
  test('have the tools that an annotation remembers if they cannot be read back', () => {
    const annotations = { 'kubernaut.io/published-tools': '{"shop":{"loki":["logs","loki","http://loki"]}}' };
    const { toolset } = observe({ ...live(all), annotations }, { ...reader, readsBack: false }) ?? {};
    expect(toolset?.documents).toEqual(all);
    expect(toolset?.tools).toMatchObject([{ name: 'logs', type: 'loki', namespace: 'shop' }]);
  });
  test('come with all else that is published', () => {
    const published = { ...live(all), labels: { team: 'sre' }, version: '7' };
    expect(observe(published, reader)).toMatchObject(published);
  });
  test('are none if nothing is published', () => {
    expect(observe(undefined, reader)).toBeUndefined();
  });
});

test('the documents of a revision are read when its tools are needed, and then once', () => {
  reads = 0;
  const content = { documents: { 'a.json': '1' }, overrides: '# mine\n', rollback: undefined };
  const revision = {
    ...content,
    name: 'r',
    number: 1,
    created: '',
    publishedBefore: 5,
    identity: 'abc',
    servicesInUse: '{}',
  };
  const [only] = observeRevisions([revision], reader);
  expect(only?.publishedBefore).toBe(5);
  expect(reads).toBe(0);
  const first = only?.toolset;
  expect(first).toEqual({ documents: { 'a.json': '1' }, tools: [] });
  expect(only?.toolset).toBe(first);
  expect(reads).toBe(1);
  expect(only).toMatchObject(revision);
});
