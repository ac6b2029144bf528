import { describe, expect, test } from 'vitest';
import { observed, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { Published } from '../model/published.ts';
import { decide } from '../planning/decide.ts';
import { plan } from '../planning/plan.ts';
import { externalChanges, liveFingerprint, metadataFingerprint } from './external-changes.ts';

const documents = (text: string) => ({ 'toolset.json': text, 'custom_toolset.yaml': text });
const publishedBy = (text: string, version: string): Published => {
  const { documents: data, labels, annotations } = plan(toolset(documents(text)), undefined, version);
  return { data: { ...data }, labels, annotations };
};
const wanted = metadataFingerprint(plan(toolset(documents('a')), undefined, '1'));
const decided = (generated: string, live: Published | undefined) =>
  decide({
    generated: toolset(documents(generated)),
    overrideError: undefined,
    live: observed(live),
    own: toolset(documents('a')),
    overrides: undefined,
    revisions: [],
    found: { usable: new Set(), unusable: new Map() },
    removal: undefined,
    now: 0,
    withHeld: () => undefined,
    withoutTools: () => ({ documents: {}, tools: [] }),
  });
const EDITED = { ...publishedBy('a', '1'), data: { ...documents('a'), 'toolset.json': 'edited' } };

describe('external changes since the last publication', () => {
  test.for<{ what: string; live: Published | undefined; generated?: string; keys: string[] }>([
    { what: 'nothing', live: publishedBy('a', '1'), keys: [] },
    { what: 'all, by deleting it: that is made anew at once', live: undefined, keys: [] },
    { what: 'a document', live: EDITED, keys: ['toolset.json'] },
    {
      what: 'whole toolsets, by another publisher of ours',
      live: publishedBy('b', '1'),
      keys: ['data toolset.json', 'data custom_toolset.yaml', 'annotation kubernaut.io/content-hash'],
    },
    { what: 'the version', live: publishedBy('a', '2'), keys: ['label app.kubernetes.io/version'] },
    {
      what: 'a document, while our inputs changed too: that does not wait',
      live: EDITED,
      generated: 'c',
      keys: [],
    },
    { what: 'nothing: our inputs changed too', live: publishedBy('b', '1'), generated: 'c', keys: [] },
  ])('$what', ({ live, generated = 'a', keys }) => {
    expect(externalChanges(decided(generated, live), observed(live), wanted, '1')).toEqual(keys);
  });

  test('nothing is reverted that was not published yet', () => {
    const live = publishedBy('b', '1');
    expect(externalChanges(decided('a', live), observed(live), undefined, '1')).toEqual([]);
  });
});

test('overrides and times do not change the fingerprint', () => {
  const fingerprint = (live: Published): string => liveFingerprint(observed(live));
  const one = publishedBy('b', '1');
  const later = { ...one.annotations, 'kubernaut.io/last-updated': 'later' };
  expect(fingerprint({ ...one, annotations: later, data: { ...one.data, 'overrides.yaml': 'x' } })).toBe(
    fingerprint(one),
  );
  expect(fingerprint(publishedBy('b', '2'))).not.toBe(fingerprint(one));
});

test('content of others, and what they reverted, change the fingerprint', () => {
  const one = publishedBy('b', '1');
  const fingerprint = (live: Published | undefined): string => liveFingerprint(observed(live));
  const { 'toolset.json': _, ...rest } = one.data;
  const others: (Published | undefined)[] = [
    undefined,
    { ...one, data: { ...one.data, 'toolset.json': 'edited' } },
    { ...one, data: rest },
    { ...one, annotations: { ...one.annotations, 'kubernaut.io/content-hash': 'edited' } },
  ];
  expect(new Set([one, ...others].map(fingerprint)).size).toBe(5);
  // The same text in binary, and another binary key.
  const binary = (...keys: readonly string[]): string => fingerprint({ ...one, binary: keys });
  expect(binary('toolset.json')).not.toBe(fingerprint(one));
  expect(binary('other')).toBe(fingerprint(one));
});

test('a program of another version has another desired state', () => {
  const fingerprint = (version: string): string =>
    metadataFingerprint(plan(toolset(documents('a')), undefined, version));
  expect(fingerprint('2')).not.toBe(fingerprint('1'));
});
