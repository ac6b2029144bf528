import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { toolsetOf } from '../model/documents.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { Observed } from '../planning/observed.ts';
import { SERVICES_IN_USE } from '../planning/plan.ts';
import { namingOf, observedApprovals, observedNaming } from './naming.ts';

/** A published tool of a Loki. */
const published = (name: string, of: string): PublishedTool => ({
  ...{ name, type: 'loki', endpoint: 'http://x', description: 'x', namespace: 'monitoring' },
  metadata: { service: of, alternates: `${of}-read` },
});
const found = (name: string, tool: string) => ({
  ...discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] })),
  tool,
});
/** What another replica has published. */
const live = (tools: readonly PublishedTool[], overrides?: string, note?: string): Observed => {
  const toolset = toolsetOf({}, () => tools);
  return {
    ...{ labels: {}, names: [], present: toolset, toolset },
    data: overrides === undefined ? {} : { 'overrides.yaml': overrides },
    annotations: note === undefined ? {} : { [SERVICES_IN_USE]: note },
  };
};
const holder = (...members: string[]) => ({ cluster: '', namespace: 'monitoring', members });

test('a published name stays with its Services, whoever has it now', () => {
  const { held } = namingOf([published('logs', 'a')], NO_OVERRIDES, {}, [
    found('thief', 'logs'),
    found('b', 'b.monitoring'),
  ]);
  expect(Object.fromEntries(held)).toEqual({ logs: holder('a', 'a-read'), 'b.monitoring': holder('b') });
});

describe('a replica that does not publish', () => {
  test('keeps the names that are published, those of tools that are not, and those that it found', () => {
    const note = '{"monitoring":{"sick":["metrics","sick-read"],"thief":["logs"]}}';
    const { held } = observedNaming(live([published('logs', 'a')], '', note), {}, [
      found('b', 'b.monitoring'),
    ]);
    expect(Object.fromEntries(held)).toEqual({
      logs: holder('a', 'a-read'),
      metrics: holder('sick', 'sick-read'),
      'b.monitoring': holder('b'),
    });
    expect(observedNaming(live([], '', note), {}, [found('x', 'metrics')]).held.get('metrics')).toEqual(
      holder('x'),
    );
  });

  test.each([
    ['nothing is published', undefined, {}],
    [
      'the overrides are invalid',
      live([published('logs', 'a')], 'tools: ['),
      { logs: holder('a', 'a-read') },
    ],
  ])('knows what it can if %s', (_, there, names) => {
    const { held, reserved } = observedNaming(there, {}, []);
    expect([Object.fromEntries(held), reserved.size]).toEqual([names, 0]);
  });

  test('prefers what overrides name, and knows whom people approved, unless the overrides are invalid', () => {
    const overrides = 'tools: { monitoring/a: { approved: mcp } }';
    expect(observedNaming(live([], overrides), {}, []).named.size).toBe(1);
    expect(observedApprovals(live([], overrides))?.size).toBe(1);
    expect(observedApprovals(live([], 'tools: ['))).toBeUndefined();
  });
});
