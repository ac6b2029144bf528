import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { type Approvals, approvalsIn } from '../model/approvals.ts';
import type { DiscoveredService, McpTool, Verdict } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import { overridesSchema } from '../outputs/overrides-schema.ts';
import { toolsShown } from '../planning/tools-shown.ts';
import { ToolWatch } from './tool-changes.ts';

const found = discovered(service('orders', { labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }));
const offering = (tools?: readonly McpTool[], more: Partial<Verdict> = {}): DiscoveredService[] => [
  { ...found, verdict: { ...found.verdict, ...(tools === undefined ? {} : { tools }), ...more } },
];
const tool = (name: string, digest = '1'): McpTool => ({ name, readOnly: true, digest });
const yes = (): boolean => true;

test('added, removed and changed tools are named once', () => {
  const watch = new ToolWatch();
  expect(watch.take(offering([tool('a'), tool('b')]), yes)).toEqual([]);
  const next = offering([tool('b', '2'), tool('c')]);
  const change = {
    service: 'monitoring/orders',
    since: 'before',
    added: ['c'],
    removed: ['a'],
    changed: ['b'],
  };
  expect(watch.take(next, yes)).toEqual([change]);
  expect(watch.take(next, yes)).toEqual([]);
});

test('a list that alternates is a change each time', () => {
  const watch = new ToolWatch();
  watch.take(offering([tool('a')]), yes);
  for (const [now, then] of [
    ['b', 'a'],
    ['a', 'b'],
    ['b', 'a'],
  ] as const)
    expect(watch.take(offering([tool(now)]), yes)).toMatchObject([{ added: [now], removed: [then] }]);
});

test('an unreadable or incomplete list is no change, and the previous one still counts', () => {
  const watch = new ToolWatch();
  watch.take(offering([tool('a')]), yes);
  expect(watch.take(offering(), yes)).toEqual([]);
  expect(watch.take(offering([tool('z')], { toolsTruncated: true }), yes)).toEqual([]);
  expect(watch.take(offering([tool('a', '2')]), yes)).toMatchObject([{ changed: ['a'] }]);
});

test('for an unpublished server nothing is reported, and nothing is kept', () => {
  const watch = new ToolWatch();
  watch.take(offering([tool('a')]), () => false);
  expect(watch.take(offering([tool('b')]), yes)).toEqual([]);
});

test('a tool that becomes read-only with the same text is a change', () => {
  const watch = new ToolWatch();
  watch.take(offering([{ ...tool('a'), readOnly: false }]), yes);
  expect(watch.take(offering([tool('a')]), yes)).toMatchObject([{ changed: ['a'] }]);
});

/** An MCP server by this name and selector, and what else is known of it. */
function server(
  name: string,
  tools: readonly McpTool[],
  more: Partial<DiscoveredService> & { app?: string; selector?: Record<string, string> } = {},
) {
  const { app = 'orders', selector = { app }, ...rest } = more;
  const [namespace = '', plain = ''] = name.includes('/') ? name.split('/') : ['monitoring', name];
  const labels = { app: 'mcp-server' };
  const one = discovered(service(plain, { namespace, labels, ports: ['mcp:8000'], selector }));
  return { ...one, ...rest, verdict: { ...one.verdict, tools } };
}
const EVIL = [tool('a', 'evil'), tool('delete_everything')];
const told = { since: 'before', added: ['delete_everything'], removed: [], changed: ['a'] };

describe('a server that was away', () => {
  test('is compared with its previous state', () => {
    const watch = new ToolWatch();
    watch.take([server('orders', [tool('a')])], yes);
    expect(watch.take([], yes)).toEqual([]);
    expect(watch.take([server('orders', EVIL)], yes)).toEqual([{ service: 'monitoring/orders', ...told }]);
  });

  test('or was waiting meanwhile', () => {
    const watch = new ToolWatch();
    watch.take([server('orders', [tool('a')])], yes);
    watch.take([server('orders', EVIL)], () => false);
    expect(watch.take([server('orders', EVIL)], yes)).toMatchObject([told]);
  });

  test('or comes back with another selector', () => {
    const watch = new ToolWatch();
    watch.take([server('orders', [tool('a')])], yes);
    watch.take([], yes);
    expect(watch.take([server('orders', EVIL, { app: 'other' })], yes)).toMatchObject([told]);
  });

  test.each([
    ['the same selector', {}, {}],
    ['another selector and the same Pods', { alternates: ['twin'] }, { app: 'other' }],
    ['another selector and some of the Pods', { sharesPods: ['orders', 'twin'] }, { app: 'other' }],
    ['the name of an alternate', {}, { app: 'other', alternates: ['orders'] }],
  ])('or is replaced by a twin that has %s', (_, before, after) => {
    const watch = new ToolWatch();
    watch.take([server('orders', [tool('a')], before)], yes);
    watch.take([server('orders', [tool('a')])], yes);
    watch.take([], yes);
    expect(watch.take([server('twin', EVIL, after)], yes)).toEqual([{ service: 'monitoring/twin', ...told }]);
  });

  test.each([
    ['a narrower selector', { selector: { app: 'orders', tier: 'x', v: '1' } }],
    ['a wider selector', { selector: { app: 'orders' } }],
    ['a selector that overlaps, and the address of a Pod', { selector: { v: '1' }, addresses: ['10.0.0.1'] }],
    ['a slice of its own with the address of a Pod', { selector: {}, addresses: ['10.0.0.9', '10.0.0.1'] }],
  ])('or is replaced after its deletion by one that has %s', (_, after) => {
    const before = { selector: { app: 'orders', tier: 'x' }, addresses: ['10.0.0.1', '10.0.0.2'] };
    const watch = new ToolWatch();
    watch.take([server('orders', [tool('a')], before)], yes);
    watch.take([], yes);
    expect(watch.take([server('twin', EVIL, after)], yes)).toEqual([{ service: 'monitoring/twin', ...told }]);
  });

  test('but not by one with Pods of its own, or in another namespace', () => {
    const watch = new ToolWatch();
    const addresses = ['10.0.0.1'];
    watch.take([server('orders', [tool('a')], { selector: { app: 'orders', tier: 'x' }, addresses })], yes);
    watch.take([], yes);
    expect(watch.take([server('other', EVIL, { selector: { app: 'orders', tier: 'y' } })], yes)).toEqual([]);
    expect(watch.take([server('shop/orders', EVIL, { addresses })], yes)).toEqual([]);
  });

  test('and returns after a twin with the same tools replaced it for a while', () => {
    const watch = new ToolWatch();
    watch.take([server('orders', [tool('a')])], yes);
    watch.take([server('twin', [tool('a')])], yes);
    expect(watch.take([server('orders', EVIL), server('twin', [tool('a')])], yes)).toMatchObject([told]);
  });
});

test('another server on the same Pods, beside one that stays, is compared with nothing', () => {
  const watch = new ToolWatch();
  const orders = server('orders', [tool('a')]);
  watch.take([orders], yes);
  expect(watch.take([orders, server('more', [tool('b')])], yes)).toEqual([]);
  expect(watch.take([orders, server('more', [tool('c')])], yes)).toMatchObject([
    { service: 'monitoring/more', added: ['c'], removed: ['b'] },
  ]);
});

describe('with thousands of servers', () => {
  const LIMITS = { tools: 40, twins: 8, namespaces: 3 };
  const many = (namespace: string): DiscoveredService[] =>
    Array.from({ length: 1_000 }, (_, n) => server(`${namespace}/s${n}`, [tool('x')], { app: `${n}` }));

  test('a namespace displaces no other one, and of its own no published server', () => {
    const watch = new ToolWatch(LIMITS);
    const stays = server('noisy/stays', [tool('a')], { app: 'stays' });
    watch.take([stays, server('calm/orders', [tool('a')])], yes);
    for (let round = 0; round < 3; round++) {
      watch.take([stays, ...many('noisy')], yes);
      watch.take([stays], yes);
    }
    const changes = watch.take([server('noisy/stays', EVIL), server('calm/orders', EVIL)], yes);
    expect(changes).toMatchObject([told, told]);
  });

  test('a server that may have been forgotten is reported with all its tools', () => {
    const watch = new ToolWatch(LIMITS);
    watch.take([server('noisy/orders', [tool('a')], { app: 'first' })], yes);
    watch.take(many('noisy'), yes);
    watch.take([], yes);
    expect(watch.take([server('noisy/orders', EVIL, { app: 'first' })], yes)).toMatchObject([
      { service: 'noisy/orders', since: 'nothing', added: ['a', 'delete_everything'] },
    ]);
  });

  test('one whose twins are too many, too', () => {
    const watch = new ToolWatch(LIMITS);
    for (let n = 0; n < 100; n++)
      watch.take([server('noisy/orders', [tool('a')], { alternates: [`t${n}`] })], yes);
    watch.take([], yes);
    expect(watch.take([server('noisy/t0', EVIL, { app: 'other' })], yes)).toMatchObject([
      { since: 'nothing' },
    ]);
  });

  test('of namespaces without published servers, only the last are known', () => {
    const watch = new ToolWatch(LIMITS);
    const names = ['a', 'b', 'c', 'd'].map((each) => `${each}/orders`);
    for (const name of names) watch.take([server(name, [tool('a')])], yes);
    watch.take([], yes);
    const back = names.map((name) => server(name, EVIL));
    expect(watch.take(back, yes).map((change) => change.service)).toEqual(names.slice(1));
  });
});

describe('the shown tools', () => {
  const SERVER = server('orders', [tool('a')]);
  const key = displayKey(SERVER.service);
  const approvals = (approved: string, tools?: readonly McpTool[]): Approvals => {
    const word = { approved, ...(tools === undefined ? {} : { approvedTools: toolsShown({ tools }) }) };
    return approvalsIn(overridesSchema.parse({ tools: { [key]: word } }));
  };
  const now = server('orders', EVIL);
  const all = { service: key, added: ['a', 'delete_everything'], removed: [], changed: [] };

  test('are the basis at the first publication', () => {
    const watch = new ToolWatch();
    expect(watch.take([now], yes, approvals('mcp', [tool('a')]))).toEqual([{ ...all, since: 'approval' }]);
    expect(watch.take([now], yes, approvals('mcp', [tool('a')]))).toEqual([]);
    expect(new ToolWatch().take([now], yes, approvals('mcp', EVIL.toReversed()))).toEqual([]);
  });

  test('count for a change, too: the agent asks until the tools are accepted', () => {
    const watch = new ToolWatch();
    watch.take([SERVER], yes, approvals('mcp', [tool('a')]));
    const change = { ...all, since: 'before', added: ['delete_everything'], changed: ['a'] };
    expect(watch.take([now], yes, approvals('mcp', [tool('a')]))).toEqual([
      { ...change, needsApproval: true },
    ]);
    const accepting = new ToolWatch();
    accepting.take([SERVER], yes, approvals('mcp', [tool('a')]));
    expect(accepting.take([now], yes, approvals('mcp', EVIL))).toEqual([change]);
  });

  test('also after another approval', () => {
    const watch = new ToolWatch();
    watch.take([now], yes, approvals('mcp', EVIL));
    expect(watch.take([now], yes, approvals('mcp', [tool('a')]))).toEqual([]);
    const later = server('orders', [...EVIL]);
    expect(watch.take([later], yes, approvals('mcp', [tool('a')]))).toEqual([{ ...all, since: 'approval' }]);
    expect(watch.take([later], yes, approvals('mcp', EVIL))).toEqual([]);
  });

  test.each([
    ['published', yes],
    ['waiting', () => false],
  ])('of a %s server whose last probe is older are compared after the next one', (_, wasPublished) => {
    const watch = new ToolWatch();
    watch.take([SERVER], wasPublished, approvals('mcp', [tool('a')]));
    const approved = approvals('mcp', EVIL);
    expect(watch.take([SERVER], yes, approved)).toEqual([]);
    expect(watch.take([SERVER], yes, approved)).toEqual([]);
    expect(watch.take([now], yes, approved)).not.toContainEqual(
      expect.objectContaining({ needsApproval: true }),
    );
    expect(watch.take([server('orders', [tool('a')])], yes, approved)).toMatchObject([
      { needsApproval: true },
    ]);
  });

  test('an approval without tools is reported with the tools, once', () => {
    const watch = new ToolWatch();
    expect(watch.take([now], yes, approvals('mcp'))).toEqual([{ ...all, since: 'nothing' }]);
    watch.take([], yes, approvals('mcp'));
    expect(watch.take([now], yes, approvals('mcp'))).toEqual([]);
  });

  test('tools that run without approval are named first', () => {
    const first = server('orders', [{ ...tool('a'), readOnly: false }, tool('z')]);
    expect(new ToolWatch().take([first], yes, approvals('mcp'))).toMatchObject([{ added: ['z', 'a'] }]);
  });
});

test('tools that become known are a change if the server was published without them', () => {
  const watch = new ToolWatch();
  const gap = { toolsGap: 'page 1 of its list answered 500' };
  expect(watch.take(offering(undefined, gap), yes)).toEqual([]);
  expect(watch.take(offering([tool('a')]), yes)).toMatchObject([{ since: 'before', added: ['a'] }]);
  expect(watch.take(offering(undefined, gap), yes)).toEqual([]);
  expect(watch.take(offering([tool('a')]), yes)).toEqual([]);
});

test('a server that was not probed yet is not one without tools', () => {
  const watch = new ToolWatch();
  watch.take(offering(), yes);
  expect(watch.take(offering([tool('a')]), yes)).toEqual([]);
});
