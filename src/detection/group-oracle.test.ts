import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { options, rules } from '../../test/fixtures/unit/detection.ts';
import { groupByComparingAll } from '../../test/fixtures/unit/grouping-oracle.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Service } from '../model/service.ts';
import { examine } from './detect.ts';
import { groupMembers } from './group.ts';
import type { Member } from './member.ts';

const membersOf = (services: readonly Service[]): Member[] =>
  services.flatMap((one) => examine(one, rules, options).member ?? []);

/** Each group by the name of its best way in, with the others in order. */
function fast(members: readonly Member[]): Record<string, string[]> {
  return Object.fromEntries(
    groupMembers(members).map(([best, ...others]) => [
      best.service.name,
      others.map((one) => one.service.name),
    ]),
  );
}

function slow(members: readonly Member[]): Record<string, string[]> {
  return Object.fromEntries(
    groupByComparingAll(
      members.map(({ match }) => match),
      rules,
    ).map(({ chosen, others }) => [chosen.service.name, others.map((one) => one.service.name)]),
  );
}

const uniqueNames = (services: readonly Service[]): Service[] => [
  ...new Map(services.map((one) => [one.name, one])).values(),
];

/** Services as charts and operators make them, in every mixture. */
const realistic = fc
  .record({
    installation: fc.constantFrom('', 'a-', 'logs-', 'eu-logs-', 'b-'),
    product: fc.constantFrom('loki', 'loki-simple', 'logs', ''),
    part: fc.constantFrom(
      '',
      '-gateway',
      '-query-frontend',
      '-querier',
      '-read',
      '-server',
      '-headless',
      '-operated',
      '-x',
      '-2',
    ),
    selector: fc.subarray(['app=loki', 'part=gateway', 'part=read', 'instance=a', 'instance=b'], {
      maxLength: 4,
    }),
    release: fc.constantFrom(undefined, 'a', 'b', 'logs'),
    headless: fc.boolean(),
  })
  .map(({ installation, product, part, selector, release, headless }) => {
    const name = `${installation}${product}${part}`.replace(/^-|-$/g, '') || 'loki';
    return service(name, {
      labels: { 'app.kubernetes.io/name': 'loki', ...(release === undefined ? {} : { release }) },
      selector: Object.fromEntries(selector.map((entry) => entry.split('=') as [string, string])),
      headless,
      ports: ['http-metrics:3100'],
    });
  });

/** Services whose names and selectors overlap as much as they can. */
const adversarial = fc
  .record({
    words: fc.array(fc.constantFrom('loki', 'gateway', 'query', 'server', 'a', 'b', 'lb', 'frontend'), {
      minLength: 1,
      maxLength: 5,
    }),
    selector: fc.dictionary(fc.constantFrom('p', 'q', 'r', 's'), fc.constantFrom('0', '1'), { maxKeys: 4 }),
    release: fc.constantFrom(undefined, 'a', 'b'),
    headless: fc.boolean(),
  })
  .map(({ words, selector, release, headless }) =>
    service(words.join('-'), {
      labels: { 'app.kubernetes.io/name': 'loki', ...(release === undefined ? {} : { release }) },
      selector,
      headless,
      ports: ['http-metrics:3100'],
    }),
  );

describe('grouping gives the same result as comparing all pairs', () => {
  test.each([
    ['realistic', realistic],
    ['adversarial', adversarial],
  ])('%s Services', (_, one) => {
    fc.assert(
      fc.property(fc.array(one, { maxLength: 14 }), (services) => {
        const members = membersOf(uniqueNames(services));
        expect(fast(members)).toEqual(slow(members));
      }),
      { numRuns: 1_500 },
    );
  });
});

const loki = (name: string, fields: Parameters<typeof service>[1]): Service =>
  service(name, { labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http-metrics:3100'], ...fields });

const entries = (count: number, last: string): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, index === 0 ? last : 'v']));

describe('a selector with more than 20 entries', () => {
  test('joins only Services with exactly the same one, in any order of entries', () => {
    const selector = entries(21, 'x');
    const turned = Object.fromEntries(Object.entries(selector).reverse());
    const members = membersOf([loki('one', { selector }), loki('two', { selector: turned })]);
    expect(fast(members)).toEqual({ one: ['two'] });
  });

  test('joins nothing by a part of it, by name or by labels', () => {
    const labels = { 'app.kubernetes.io/name': 'loki', release: 'a' };
    const members = membersOf([
      loki('a-loki-gateway', { labels, selector: entries(21, 'x') }),
      loki('a-loki-querier', { labels, selector: entries(21, 'y') }),
      loki('a-loki-headless', { labels, headless: true, selector: entries(20, 'x') }),
    ]);
    expect(Object.keys(fast(members))).toHaveLength(3);
  });

  test('with 20 entries, it is compared like any other', () => {
    const members = membersOf([
      loki('one', { selector: entries(20, 'x') }),
      loki('pods', { headless: true, selector: { k0: 'x', k5: 'v' } }),
    ]);
    expect(fast(members)).toEqual({ one: ['pods'] });
  });
});

describe('the number of comparisons', () => {
  /** Selectors that share half of their entries with half of the others. */
  const grid = (count: number): Member[] =>
    membersOf(
      Array.from({ length: count }, (_, index) =>
        loki(`s${index}x`, {
          headless: index % 2 === 0,
          selector: Object.fromEntries(
            Array.from({ length: 10 - ((index + 1) % 2) }, (_, bit) => [
              `k${bit}`,
              `${(index >> (bit + 1)) & 1}`,
            ]),
          ),
        }),
      ),
    );

  test('grows linearly with the number of Services', () => {
    const compared = (count: number): number => {
      const work = { compared: 0 };
      groupMembers(grid(count), undefined, work);
      return work.compared;
    };
    expect(compared(800)).toBeLessThan(2.2 * compared(400));
    expect(compared(800)).toBeLessThanOrEqual(3 * 400 * 32);
  });

  test('selectors without common entries are not compared at all', () => {
    const work = { compared: 0 };
    const each = Array.from({ length: 400 }, (_, index) =>
      loki(`s${index}x`, { headless: index % 2 === 0, selector: { app: `a${index}`, part: `p${index}` } }),
    );
    groupMembers(membersOf(each), undefined, work);
    expect(work.compared).toBe(0);
  });
});
