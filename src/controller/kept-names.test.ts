import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import type { Holder } from '../detection/names.ts';
import type { Candidate } from '../model/discovery.ts';
import type { ServiceKey } from '../model/service.ts';
import { type KeptNames, keepNames } from './kept-names.ts';

const asking = (
  name: string,
  displayName?: string,
  { namespace = 'monitoring', ...more }: Partial<Candidate> & { readonly namespace?: string } = {},
): Candidate => ({
  ...candidate(service(name, { namespace, labels: { app: 'loki' }, ports: ['http:3100'] })),
  displayName,
  ...(displayName === undefined ? {} : { displayNames: [displayName] }),
  ...more,
});
const HELD: ReadonlyMap<string, Holder> = new Map([
  ['Logs', { cluster: '', namespace: 'monitoring', members: ['loki', 'loki-read'] }],
]);
const NONE: KeptNames = new Map();
const [loki, read] = [asking('loki', 'Logs'), asking('loki-read')];
const thief = asking('thief', 'logs', { namespace: 'elsewhere' });
const kept = (
  all: readonly Candidate[],
  before: KeptNames = NONE,
  { now = 0, held = HELD, others = [], since = new Map() }: Partial<Options> = {},
) => {
  const possible = [...all, ...others];
  const services = possible.map((each) => each.service);
  return keepNames(all, { held, before, services, possible, since, now });
};
interface Options {
  readonly now: number;
  readonly held: typeof HELD;
  /** Backends whose answers say that they are something else. */
  readonly others: readonly Candidate[];
  readonly since: ReadonlyMap<ServiceKey, number>;
}
/** The kept names, and who asks for one and may have it. */
const told = ({ candidates, kept: names }: ReturnType<typeof kept>) => ({
  kept: [...names.values()].map(({ name, at }) => `${name} since ${at}`),
  asks: candidates.flatMap(({ service: { name }, displayName }) => (displayName === undefined ? [] : [name])),
});

describe('a requested name of a backend', () => {
  test('is kept while its Service is gone, in all namespaces, and goes back to it', () => {
    const gone = kept([thief], NONE, { now: 5 });
    expect(told(gone)).toEqual({ kept: ['Logs since 5'], asks: [] });
    expect(gone.candidates).toMatchObject([{ displayName: undefined, displayNames: [] }]);
    expect(gone.problems).toEqual([
      {
        where: 'Service elsewhere/thief',
        what: expect.stringMatching(
          /^asks for the tool name logs, and does not get it for up to ten minutes: /,
        ),
        fix: 'wait, or give it another name',
      },
    ]);
    const still = kept([thief], gone.kept, { now: 9, held: new Map() });
    expect(told(still)).toEqual({ kept: ['Logs since 5'], asks: [] });
    const back = kept([thief, loki], still.kept, { now: 10, held: new Map() });
    expect(told(back)).toEqual({ kept: [], asks: ['loki'] });
    expect(back.held).toEqual(HELD);
  });

  test('is kept for ten minutes', () => {
    const gone = kept([thief], NONE, { now: 5 });
    const at = (now: number) => told(kept([thief], gone.kept, { now, held: new Map() }));
    expect(at(5 + 599_999)).toEqual({ kept: ['Logs since 5'], asks: [] });
    expect(at(5 + 600_000)).toEqual({ kept: [], asks: ['thief'] });
  });

  test('is kept if one of its Services is gone, and the others do not ask for it', () => {
    expect(told(kept([thief, read]))).toEqual({ kept: ['Logs since 0'], asks: [] });
    const both = asking('loki-read', undefined, { displayNames: ['Logs'] });
    expect(told(kept([both]))).toEqual({ kept: [], asks: [] });
  });

  test('goes back to a backend in which its Service is not the entry point', () => {
    const gone = kept([thief, read]);
    const back = asking('loki-read', 'Logs', { alternates: ['loki'] });
    expect(told(kept([thief, back], gone.kept, { held: new Map() }))).toEqual({
      kept: [],
      asks: ['loki-read'],
    });
  });

  test('is kept while it answers as something else, however long', () => {
    let names = kept([thief], NONE, { others: [loki, read] }).kept;
    for (const now of [500_000, 1_000_000, 1_500_000]) {
      const wrong = kept([thief], names, { now, held: new Map(), others: [loki, read] });
      expect(told(wrong)).toEqual({ kept: [`Logs since ${now}`], asks: [] });
      names = wrong.kept;
    }
    const back = kept([thief, loki, read], names, { now: 2_000_000, held: new Map() });
    expect(told(back)).toEqual({ kept: [], asks: ['loki'] });
  });

  test('is free once its Services exist and none of them asks for it', () => {
    expect(told(kept([asking('loki'), read, thief]))).toEqual({ kept: [], asks: ['thief'] });
    expect(told(kept([thief], NONE, { others: [asking('loki'), read] }))).toEqual({
      kept: [],
      asks: ['thief'],
    });
  });

  test('is not kept for a Service of that name in another namespace', () => {
    const gone = kept([thief]);
    const same = asking('loki', 'Logs', { namespace: 'elsewhere' });
    expect(told(kept([same], gone.kept))).toEqual({ kept: ['Logs since 0'], asks: [] });
  });
});

test('names that no Service requested are not kept, and without any, nothing is copied', () => {
  const held = new Map([['loki.monitoring', { cluster: '', namespace: 'monitoring', members: ['loki'] }]]);
  const all = [thief];
  const result = kept(all, NONE, { held });
  expect(result.kept.size).toBe(0);
  expect(result.candidates).toBe(all);
  expect(result.held).toBe(held);
});

test('a namespace has at most 100 kept names, of those that came into use first, and takes none from others', () => {
  const many = Array.from({ length: 150 }, (_, index): [string, Holder] => [
    `a${index}`,
    { cluster: '', namespace: 'evil', members: [`gone-${index}`] },
  ]);
  const since = new Map(many.map((_, index) => [keyFor(`evil/gone-${index}`), 150 - index]));
  const { kept: names } = kept([], kept([]).kept, { held: new Map(many), since });
  expect(names.size).toBe(101);
  expect(names.has('logs')).toBe(true);
  expect(names.has('a50')).toBe(true);
  expect(names.has('a49')).toBe(false);
});
