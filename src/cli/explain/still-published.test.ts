import { expect, test } from 'vitest';
import { removals } from '../../planning/removals.ts';
import { type StayFacts, whyStill } from './still-published.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const lost = ['a', 'b'].map((tool) => ({
  ...{ tool, namespace: 'ns', service: `ns/${tool}`, cause: 'gone' as const },
}));
const { note } = removals(lost, new Map([['ns', 2]]), undefined, NOW, { hold: 300_000, once: false });
const HELD: StayFacts = {
  rollback: undefined,
  overrideError: undefined,
  heldRemovals: { note, hold: 300_000, now: NOW + 20_000 },
};
const NEXT = /^serve removes it with its next publication$/;

test.each<[string, string, Partial<StayFacts>, boolean, RegExp]>([
  ['a hold, with its end', 'a', {}, true, /^it stays until 2026-01-01T00:05:00Z, because most tools of/],
  ['a hold that may end earlier', 'a', {}, false, /^it stays until 2026-01-01T00:05:00Z at the latest, /],
  [
    'a hold of unknown length',
    'a',
    { heldRemovals: { note, hold: undefined, now: NOW } },
    true,
    /since 2026-01-01T00:00:00Z, for REMOVAL_HOLD/,
  ],
  ['a hold that is over', 'a', { heldRemovals: { note, hold: 300_000, now: NOW + 300_000 } }, true, NEXT],
  ['nothing, for a tool that is not held', 'c', {}, true, NEXT],
  ['a rollback', 'a', { rollback: 3 }, true, /^the rollback to revision 3 holds until .* rollback --end$/],
  [
    'invalid overrides, also during a rollback',
    'a',
    { rollback: 3, overrideError: 'line 1' },
    true,
    /^overrides\.yaml cannot be used/,
  ],
])('what keeps a tool: %s', (_, tool, facts, isServiceGone, text) => {
  expect(whyStill(tool, { ...HELD, ...facts }, isServiceGone)).toMatch(text);
});

test('a tool that the one of another Service replaces stays until the next publication, or as long as a rollback', () => {
  expect(whyStill('a', HELD, false, 'b')).toBe('with its next publication, serve publishes b in its place');
  expect(whyStill('a', { ...HELD, rollback: 3 }, false, 'b')).toMatch(/^the rollback to revision 3 holds/);
});
