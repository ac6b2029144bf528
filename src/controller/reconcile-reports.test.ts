import { beforeEach, describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { observed, toolset } from '../../test/fixtures/unit/toolset.ts';
import type { McpTool } from '../model/discovery.ts';
import type { Documents } from '../model/documents.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import type { Decision } from '../planning/decide.ts';
import { plan, rollbackAnnotations } from '../planning/plan.ts';
import type { GeneratedSnapshot } from './assess.ts';
import type { EngineEvent } from './events.ts';
import type { PublishResult } from './publication.ts';
import { ReconcileReports } from './reconcile-reports.ts';
import { ToolWatch } from './tool-changes.ts';

const documents = (text: string): Documents => ({ 'toolset.json': text, 'custom_toolset.yaml': text });
const DECISION: Decision = {
  intent: { documents: documents('a'), tools: [] },
  drift: undefined,
  held: { held: [], until: undefined, due: undefined },
  released: [],
  rollback: undefined,
};
const LIVE = observed({ data: { ...documents('a') }, labels: {}, annotations: {} });

let events: EngineEvent[];
beforeEach(() => {
  events = [];
});
/** The events since the last call, without what is the same in all of them. */
const news = (): object[] =>
  events.splice(0).map(({ cycle, ...event }: EngineEvent & { cycle?: number }) => event);

const reports = (tools?: ToolWatch): ReconcileReports =>
  new ReconcileReports({
    emit: (event) => events.push(event),
    target: 'ConfigMap ns/toolset',
    now: () => new Date(1_000),
    tools,
  });

describe('who waits for approval', () => {
  const waiting = (...keys: readonly string[]): GeneratedSnapshot => ({ waiting: keys, held: [] }) as never;
  const event = (all: readonly string[], fresh: readonly string[]) => ({
    kind: 'approvals-waiting',
    waiting: all,
    fresh,
  });

  test('is reported when somebody comes or goes, with who is new', () => {
    const one = reports(new ToolWatch());
    const trust = (...keys: readonly string[]) => {
      one.trust([], waiting(...keys), undefined, 1);
      return news();
    };
    expect(trust()).toEqual([]);
    expect(trust('ns/a', 'ns/b')).toEqual([event(['ns/a', 'ns/b'], ['ns/a', 'ns/b'])]);
    expect(trust('ns/a', 'ns/b')).toEqual([]);
    expect(trust('ns/b')).toEqual([event(['ns/b'], [])]);
    expect(trust('ns/c')).toEqual([event(['ns/c'], ['ns/c'])]);
    expect(trust()).toEqual([event([], [])]);
  });

  test('is reported for one target only', () => {
    reports().trust([], waiting('ns/a'), undefined, 1);
    expect(news()).toEqual([]);
  });
});

test('changed tools are reported of MCP servers that are published', () => {
  const one = reports(new ToolWatch());
  const mcp = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
  const offering = (...names: readonly string[]) => {
    const tools = names.map((name): McpTool => ({ name, readOnly: true, digest: '1' }));
    return [{ ...mcp, verdict: { ...mcp.verdict, tools } }];
  };
  const snapshot = (...held: readonly string[]): GeneratedSnapshot => ({ waiting: [], held }) as never;
  one.trust(offering('a'), snapshot(), undefined, 1);
  one.trust(offering('b'), snapshot('monitoring/orders'), undefined, 1);
  expect(news()).toEqual([]);
  one.trust(offering('c'), snapshot(), undefined, 1);
  expect(news()).toMatchObject([{ kind: 'tools-changed', change: { added: ['c'], removed: ['a'] } }]);
});

describe('why something else is published than was found', () => {
  test('overrides that are invalid are reported once for each fault, and when they are valid again', () => {
    const one = reports();
    const reasons = (overrideError?: string) => {
      one.reasons({ ...DECISION, intent: { ...DECISION.intent, overrideError } }, LIVE, 1);
      return news();
    };
    expect(reasons()).toEqual([]);
    expect(reasons('line 1')).toEqual([{ kind: 'overrides-invalid', faults: 'line 1', tools: 0 }]);
    expect(reasons('line 1')).toEqual([]);
    expect(reasons('line 2')).toEqual([{ kind: 'overrides-invalid', faults: 'line 2', tools: 0 }]);
    expect(reasons()).toEqual([{ kind: 'overrides-mended' }]);
    expect(reasons()).toEqual([]);
  });

  test('a rollback is reported once, and again to another revision and when it ends', () => {
    const one = reports();
    const reasons = (rollback: Decision['rollback'], to?: number) => {
      const intent = to === undefined ? DECISION.intent : { ...DECISION.intent, rollback: { to, from: 'x' } };
      one.reasons({ ...DECISION, intent, rollback }, LIVE, 1);
      return news();
    };
    expect(reasons(undefined)).toEqual([]);
    expect(reasons('holds', 3)).toEqual([{ kind: 'rollback', to: 3, holds: true }]);
    expect(reasons('holds', 3)).toEqual([]);
    expect(reasons('holds', 2)).toEqual([{ kind: 'rollback', to: 2, holds: true }]);
    expect(reasons('ended')).toEqual([{ kind: 'rollback', to: 2, holds: false }]);
    expect(reasons('ended')).toEqual([]);
    expect(reasons(undefined)).toEqual([]);
    expect(reasons('holds', 2)).toEqual([{ kind: 'rollback', to: 2, holds: true }]);
  });

  test('with a rollback, what a person accepted, and why it ended', () => {
    const one = reports();
    const rollback = { to: 3, from: 'x', accepted: 'a' };
    one.reasons({ ...DECISION, intent: { ...DECISION.intent, rollback }, rollback: 'holds' }, LIVE, 1);
    expect(news()).toEqual([{ kind: 'rollback', to: 3, holds: true, accepted: true }]);
    one.reasons({ ...DECISION, rollback: 'ended', revoked: 'b is excluded' }, LIVE, 1);
    expect(news()).toMatchObject([{ kind: 'rollback', holds: false, revoked: 'b is excluded' }]);
    one.reasons({ ...DECISION, intent: { ...DECISION.intent, rollback }, rollback: 'holds' }, LIVE, 1);
    news();
    one.reasons({ ...DECISION, intent: { ...DECISION.intent, rollback }, rollback: 'ended' }, LIVE, 1);
    expect(news()).toEqual([{ kind: 'rollback', to: 3, holds: false }]);
  });

  test('a rollback whose annotations were removed has ended, which is reported once', () => {
    const one = reports();
    const reasons = (decision: Partial<Decision>) => {
      one.reasons({ ...DECISION, ...decision }, LIVE, 1);
      return news();
    };
    const intent = { ...DECISION.intent, rollback: { to: 3, from: 'x' } };
    expect(reasons({ rollback: 'holds', intent })).toMatchObject([{ holds: true }]);
    // What is kept, as with invalid overrides, keeps the rollback.
    expect(reasons({ intent })).toEqual([]);
    expect(reasons({ rollback: 'holds', intent })).toEqual([]);
    expect(reasons({})).toEqual([{ kind: 'rollback', to: 3, holds: false, removed: true }]);
    expect(reasons({})).toEqual([]);
  });

  test('a rollback that ended is the one that is published', () => {
    const annotations = rollbackAnnotations({ to: 4, from: 'x' });
    const live = observed({ data: {}, labels: {}, annotations });
    reports().reasons({ ...DECISION, rollback: 'ended' }, live, 1);
    expect(news()).toEqual([{ kind: 'rollback', to: 4, holds: false }]);
    reports().reasons({ ...DECISION, rollback: 'ended' }, undefined, 1);
    expect(news()).toEqual([{ kind: 'rollback', to: 0, holds: false }]);
  });
});

describe('tools that are held', () => {
  const holding = (one: ReconcileReports, ...held: readonly string[]) =>
    one.held({ held, until: held.length === 0 ? undefined : 61_000, due: undefined }, 1);

  test('are reported when there are more, with the time that is left', () => {
    const one = reports();
    expect(holding(one)).toBeUndefined();
    expect(news()).toEqual([]);
    holding(one, 'a', 'b');
    expect(news()).toEqual([{ kind: 'removal-held', tools: ['a', 'b'], retryIn: 60_000 }]);
    holding(one, 'a', 'b');
    holding(one, 'b');
    expect(news()).toEqual([]);
    holding(one, 'b', 'c');
    expect(news()).toMatchObject([{ tools: ['b', 'c'] }]);
    holding(one);
    holding(one, 'c');
    expect(news()).toHaveLength(1);
  });

  test('are not reported if a rollback removed them, also when it has ended', () => {
    const one = reports();
    holding(one, 'a', 'b');
    news();
    holding(one);
    one.removedAfterHold({ tools: [] }, false, 'holds', 1);
    one.removedAfterHold({ tools: [] }, false, 'ended', 1);
    expect(news()).toEqual([]);
  });

  test('are reported once they are removed, and not if they came back', () => {
    const one = reports();
    const published = (...names: readonly string[]) =>
      one.removedAfterHold({ tools: names.map((name) => ({ name }) as PublishedTool) }, true, undefined, 1);
    holding(one, 'a', 'b', 'c');
    published('a', 'b', 'c');
    news();
    holding(one, 'c');
    published('b', 'c');
    expect(news()).toEqual([{ kind: 'held-removed', tools: ['a'], allowed: true }]);
    published('b', 'c');
    expect(news()).toEqual([]);
    // A publication that fails in between delays the report.
    holding(one);
    holding(one);
    published('b');
    expect(news()).toMatchObject([{ tools: ['c'] }]);
    // One that is held again has another reason to be missing.
    holding(one, 'd');
    holding(one, 'd');
    news();
    published();
    expect(news()).toEqual([]);
  });

  test('are named in a note, five at most', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const what = (count: number) => holding(reports(), ...names.slice(0, count))?.what;
    expect(what(1)).toMatch(
      /^1 tool is gone, unusable or beyond a limit, and published until 1970-01-01T00:01:01Z: a$/,
    );
    expect(what(5)).toMatch(/: a, b, c, d, e$/);
    expect(what(7)).toMatch(/^7 tools .*: a, b, c, d, e and 2 more$/);
    expect(holding(reports(), 'a')).toMatchObject({
      where: 'ConfigMap ns/toolset',
      fix: expect.stringContaining('--force'),
    });
  });
});

describe('a publication', () => {
  const UPDATE = plan(toolset(documents('a')), observed({ data: {}, labels: {}, annotations: {} }), '1');
  const NONE = { ...UPDATE, action: 'none' } as const;
  const reported = (
    result: Partial<PublishResult>,
    decision: Partial<Decision> = {},
    { isGone = false, isKnown = true } = {},
  ) => {
    reports().result(
      { plan: NONE, live: LIVE, ...result },
      isGone ? undefined : LIVE,
      { ...DECISION, ...decision },
      isKnown,
      1,
    );
    return news();
  };

  test('is reported with what was stored, and nothing is where nothing was written', () => {
    expect(reported({ plan: UPDATE })).toEqual([
      { kind: 'observed', live: LIVE },
      { kind: 'published', plan: UPDATE, target: 'ConfigMap ns/toolset' },
    ]);
    expect(reported({})).toEqual([]);
  });

  test('of what is there no more says that it was deleted, unless it is the first one', () => {
    const gone = { isGone: true };
    expect(reported({}, {}, gone)).toEqual([{ kind: 'recreated', overrides: false }]);
    const intent = { ...DECISION.intent, overrides: '# mine' };
    expect(reported({}, { intent }, gone)).toEqual([{ kind: 'recreated', overrides: true }]);
    expect(reported({}, {}, { ...gone, isKnown: false })).toEqual([]);
  });

  test('that reverts an external change says what it was', () => {
    const drift = { keys: ['toolset.json'], published: documents('b') };
    const [event] = reported({}, { drift });
    expect(event).toMatchObject({ kind: 'drift', keys: ['toolset.json'] });
    expect(JSON.stringify(event)).toContain('b');
  });

  test('that ends what a process began, which was killed, says nothing of it', () => {
    expect(reported({}, { drift: { keys: ['toolset.json'], published: undefined } })).toEqual([]);
    expect(reported({}, { drift: { keys: ['toolset.json'], published: documents('a') } })).toEqual([]);
  });

  test('of an older revision, as the new one cannot be used, says why', () => {
    const rolledBack = { to: { number: 3 }, faults: ['a document is missing'] } as never;
    expect(reported({ rolledBack })).toEqual([
      { kind: 'rolled-back', to: 3, faults: ['a document is missing'] },
    ]);
  });
});
