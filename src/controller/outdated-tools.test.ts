import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { type Approvals, NO_APPROVALS } from '../model/approvals.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import { outdatedTools, Rechecks } from './outdated-tools.ts';

const found = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
const offering = (digest: string): DiscoveredService => ({
  ...found,
  verdict: { ...found.verdict, tools: [{ name: 'get_order', readOnly: true, digest }] },
});
/** An approval that showed the tools of a server. */
const showing = (one: DiscoveredService): Approvals => {
  const tools = toolsShown(one.verdict);
  return new Map([
    [keyFor('monitoring/orders'), { refused: false, as: ['mcp'], ...(tools === undefined ? {} : { tools }) }],
  ]);
};
const isOutdated = (one: DiscoveredService, before: Approvals, now: Approvals): boolean =>
  outdatedTools([one], before, now).length > 0;

describe('the known tools of a server are outdated', () => {
  test.each<[string, boolean, DiscoveredService, Approvals, Approvals]>([
    ['an approval shows others', true, offering('a'), NO_APPROVALS, showing(offering('b'))],
    ['an approval shows the same', false, offering('a'), NO_APPROVALS, showing(offering('a'))],
    ['the approval is that of before', false, offering('a'), showing(offering('b')), showing(offering('b'))],
    ['the approval was taken back', false, offering('a'), showing(offering('b')), NO_APPROVALS],
    ['it has not told them', false, found, NO_APPROVALS, showing(offering('b'))],
  ])('if %s: %j', (_, expected, one, before, now) => {
    expect(isOutdated(one, before, now)).toBe(expected);
  });
});

test('a server is probed again once', () => {
  const rechecks = new Rechecks();
  const before = offering('a');
  expect(rechecks.settle([before])).toBe(false);
  rechecks.add(before);
  expect([rechecks.settle([before]), rechecks.has(before.service)]).toEqual([false, true]);
  expect([rechecks.settle([offering('b')]), rechecks.has(before.service)]).toEqual([true, false]);
  rechecks.add(before);
  expect([rechecks.settle([]), rechecks.has(before.service)]).toEqual([true, false]);
});
