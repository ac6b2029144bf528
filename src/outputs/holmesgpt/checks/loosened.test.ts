import { describe, expect, test } from 'vitest';
import type { Toolset } from '../../../model/documents.ts';
import { NO_OVERRIDES, type Overrides } from '../../../model/overrides.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import { allNamesBut } from './approval.ts';
import { loosened as problemsOf } from './loosened.ts';

/** The names of the entries, and whether the reason is that HolmesGPT asks now. */
const loosened = (
  toolsets: readonly Toolset[],
  next: Toolset,
  overrides: Overrides = NO_OVERRIDES,
): readonly string[] =>
  problemsOf({ toolsets, overrides, applied: overrides }, next).map(({ where }) => where);

/** A toolset with this file. JSON is YAML, too. */
const file = (content: unknown, tools: readonly PublishedTool[] = []): Toolset => ({
  documents: { 'custom_toolset.yaml': JSON.stringify(content) },
  tools,
});
const asking = (patterns?: readonly string[]) =>
  patterns === undefined ? {} : { approval_required_tools: patterns };

/** A toolset with one MCP server. */
const server = (patterns?: readonly string[], more: object = {}, name = 'shop/orders'): Toolset =>
  file({ mcp_servers: { [name]: { ...asking(patterns), ...more } } });
const NOTHING: Toolset = { documents: {}, tools: [] };
const free = (...names: readonly string[]): Toolset => server(allNamesBut(names));

test.each<[string, Toolset, Toolset]>([
  ['all tools need approval now, and some did not', server(['*']), free('get')],
  ['another tool was read-only', free('get'), free('list')],
  ['one more tool was read-only', free('get'), free('get', 'list')],
  ['nothing needed approval', free('get'), server()],
  ['a person added a pattern', server(['delete_*', 'drop_*']), server(['delete_*'])],
  ['a person wrote patterns where all need approval now', server(['*']), server(['delete_*'])],
])('it is named if %s', (_, standing, next) => {
  expect(loosened([standing], next)).toEqual(['shop/orders']);
});

test.each<[string, Toolset, Toolset]>([
  ['nothing changes', free('get'), free('get')],
  ['fewer tools were read-only', free('get', 'list'), free('get')],
  ['all tools needed approval', free('get'), server(['*'])],
  ['all tools need approval then, whatever a person wrote', server(['delete_*']), server(['*'])],
  ['a person removed a pattern', server(['delete_*']), server(['delete_*', 'drop_*'])],
  ['nothing needs approval now', server(), free('get')],
  ['it was off', server(['*']), server([], { enabled: false })],
  ['it is another server', server(['*']), server([], {}, 'shop/other')],
  ['there was no file', server(['*']), NOTHING],
  ['a file is unreadable', { documents: { 'custom_toolset.yaml': '[' }, tools: [] }, free('get')],
])('it is not if %s', (_, standing, next) => {
  expect(loosened([standing], next)).toEqual([]);
});

test('the newest document that has the server counts', () => {
  expect(loosened([NOTHING, server(['*']), free('get')], free('get'))).toEqual(['shop/orders']);
  expect(loosened([free('get'), server(['*'])], free('get'))).toEqual([]);
});

const overriding = (part: unknown): Overrides => ({ ...NO_OVERRIDES, parts: { holmesgpt: part } });

test('what users ask for counts, although it may not be published yet', () => {
  const wanting = (patterns: unknown): Overrides =>
    overriding({ mcp_servers: { 'shop/orders': { approval_required_tools: patterns } } });
  expect(loosened([], free('get'), wanting(['*']))).toEqual(['shop/orders']);
  expect(loosened([free('get')], free('get'), wanting(['*']))).toEqual(['shop/orders']);
  expect(loosened([], free('get'), wanting('all'))).toEqual(['shop/orders']);
  expect(loosened([], server(['*']), wanting(['*']))).toEqual([]);
  expect(loosened([], free('get'), wanting(null))).toEqual([]);
  expect(loosened([], server(['*'], {}, 'shop/other'), wanting(['*']))).toEqual([]);
});

describe('the same server under another name', () => {
  const URL = 'http://orders.shop.svc.cluster.local:8000/mcp';
  const at = (url: string, patterns: readonly string[], name = 'mine') =>
    server(patterns, { config: { url } }, name);

  test.each([
    URL,
    'http://ORDERS.shop.svc.cluster.local.:8000/mcp/',
    'http://orders.shop.svc:8000/sse',
    'http://orders.shop:8000',
    'http://user:secret@orders:8000/mcp?a=b',
  ])('is named, however its URL is spelt (%s)', (url) => {
    expect(loosened([at(url, ['*'])], at(URL, []), NO_OVERRIDES)).toEqual(['mine']);
    expect(loosened([at(url, ['*'], 'theirs')], at(URL, []))).toEqual(['mine']);
    expect(loosened([at(URL, ['*'], 'theirs')], at(url, []))).toEqual(['mine']);
    const wanted = { theirs: { config: { url }, approval_required_tools: ['*'] } };
    expect(loosened([], at(URL, []), overriding({ mcp_servers: wanted }))).toEqual(['mine']);
  });

  test.each(['http://orders.sales:8000/mcp', 'http://orders.shop:9000/mcp', 'http://orders.shop:8000/other'])(
    'is not another one (%s)',
    (url) => {
      // It is refused because its tools are unknown, not because of the other server's approvals.
      const theirs = at(url, ['*'], 'theirs');
      const standing = { toolsets: [theirs], overrides: NO_OVERRIDES, applied: NO_OVERRIDES };
      const [problem] = problemsOf(standing, at(URL, []));
      expect(problem?.what).toContain('the current toolset does not have it');
    },
  );

  test('has one spelling as short as the other', () => {
    const [short, long] = ['http://orders.shop:8000', 'http://orders.shop.svc:8000/mcp'];
    expect(loosened([at(short, ['*'], 'theirs')], at(long, []))).toEqual(['mine']);
    expect(loosened([at(long, ['*'], 'theirs')], at(short, []))).toEqual(['mine']);
  });

  test('is meant by the key of its Service in overrides', () => {
    const wanted = { 'shop/orders': { approval_required_tools: ['*'] } };
    expect(loosened([], at(URL, []), overriding({ mcp_servers: wanted }))).toEqual(['mine']);
    // A person who accepted that the server is not published now did not accept this.
    const overrides = overriding({ mcp_servers: wanted });
    const standing = { toolsets: [at(URL, ['*'])], overrides, applied: NO_OVERRIDES };
    expect(problemsOf(standing, at(URL, []))).toMatchObject([
      { what: 'the agent would run some of its tools without asking, and overrides.yaml wants it to ask' },
    ]);
  });

  test('is known by the published hosts, on any port', () => {
    const tool = {
      name: 'orders.shop',
      type: 'mcp',
      endpoint: URL,
      description: '',
      metadata: { service: 'orders', hosts: 'orders.shop.svc.cluster.local,10.0.0.7' },
    };
    const discovered = (patterns: readonly string[]) =>
      file({ mcp_servers: { 'shop/orders': { ...asking(patterns), config: { url: URL } } } }, [tool]);
    expect(loosened([at('http://10.0.0.7:9000', ['*'])], discovered([]))).toEqual(['shop/orders']);
    expect(loosened([discovered(['*'])], at('http://10.0.0.7:9000', []))).toEqual(['mine']);
  });

  test('is known by its command, if HolmesGPT starts it', () => {
    const program = (name: string, patterns: readonly string[], ...args: readonly string[]) =>
      server(patterns, { config: { mode: 'stdio', command: 'npx', args } }, name);
    expect(loosened([program('theirs', ['*'], 'orders')], program('mine', [], 'orders'))).toEqual(['mine']);
    expect(loosened([program('theirs', ['*'], 'weather')], program('mine', [], 'orders'))).toEqual([]);
  });

  test('is found where two exchanged names', () => {
    const two = (a: readonly string[], b: readonly string[], urls: readonly [string, string]) =>
      file({
        mcp_servers: {
          a: { ...asking(a), config: { url: urls[0] } },
          b: { ...asking(b), config: { url: urls[1] } },
        },
      });
    const [one, other] = ['http://one:80', 'http://other:80'];
    expect(loosened([two(['x'], ['y'], [one, other])], two(['x'], ['y'], [other, one]))).toEqual(['a', 'b']);
    expect(loosened([two(['x'], ['x'], [one, other])], two(['x'], ['x'], [other, one]))).toEqual([]);
  });
});

describe('patterns of a toolset count too', () => {
  const toolset = (patterns: readonly string[]) => file({ toolsets: { bash: asking(patterns) } });

  test('where the next document has it', () => {
    expect(loosened([toolset(['*'])], toolset([]))).toEqual(['bash']);
  });

  test('where HolmesGPT turns it on although the next document does not have it', () => {
    expect(loosened([toolset(['*'])], file({ toolsets: {} }))).toEqual(['bash']);
    const wanted = { bash: { approval_required_tools: ['*'] } };
    expect(loosened([], file({ toolsets: {} }), overriding({ toolsets: wanted }))).toEqual(['bash']);
    expect(loosened([file({ toolsets: {} }), toolset(['*'])], file({ toolsets: {} }))).toEqual([]);
    const other = file({ toolsets: { 'helm/core': asking(['*']) } });
    expect(loosened([other], file({ toolsets: {} }))).toEqual([]);
  });
});

describe('a discovered server whose tools are unknown now', () => {
  const URL = 'http://orders.shop.svc.cluster.local:8000/mcp';
  const tool = {
    name: 'orders.shop',
    type: 'mcp',
    endpoint: URL,
    description: '',
    metadata: { service: 'orders', hosts: 'orders.shop.svc.cluster.local' },
  };
  const discovered = (patterns: readonly string[]) =>
    file({ mcp_servers: { 'shop/orders': { ...asking(patterns), config: { url: URL } } } }, [tool]);
  const some = discovered(allNamesBut(['get']));
  const others = file({ mcp_servers: {} });
  const whys = (toolsets: readonly Toolset[], next: Toolset, before?: string, now = before) => {
    const approving = (approvedTools: string | undefined): Overrides => ({
      ...NO_OVERRIDES,
      tools: {
        'shop/orders': { approved: 'mcp', ...(approvedTools === undefined ? {} : { approvedTools }) },
      },
    });
    return problemsOf({ toolsets, overrides: approving(now), applied: approving(before) }, next).map(
      ({ where, what }) => `${where}: ${what.slice(what.indexOf('and ') + 4)}`,
    );
  };
  const UNPUBLISHED = [
    'shop/orders: the current toolset does not have it, so nobody knows which tools it has',
  ];
  const REAPPROVED = ['shop/orders: overrides.yaml approves other tools of it since'];

  test('is named if the newest toolset does not have it, whatever older ones had', () => {
    expect(whys([others], some)).toEqual(UNPUBLISHED);
    expect(whys([others, some], some)).toEqual(UNPUBLISHED);
    expect(whys([some], some)).toEqual([]);
  });

  test('is named with what HolmesGPT did when it was published last, if that was to ask', () => {
    expect(whys([others, discovered(['*'])], some)).toEqual([
      'shop/orders: asked before them when it was published last',
    ]);
    expect(whys([discovered(['*'])], some)).toEqual(['shop/orders: asks before them now']);
  });

  test('is not named if HolmesGPT asks before each of its tools', () => {
    expect(whys([others], discovered(['*']))).toEqual([]);
    expect(whys([some], discovered(['*']), 'a', 'b')).toEqual([]);
  });

  test('is not named by a toolset that cannot be read', () => {
    expect(whys([NOTHING, some], some)).toEqual([]);
    expect(whys([{ documents: { 'custom_toolset.yaml': '[' }, tools: [] }, some], some)).toEqual([]);
    expect(whys([], some)).toEqual([]);
  });

  test('is named if overrides approve other tools than when the newest toolset was made', () => {
    expect(whys([some], some, 'a', 'b')).toEqual(REAPPROVED);
    expect(whys([some], some, undefined, 'b')).toEqual(REAPPROVED);
    expect(whys([some], some, 'a', 'a')).toEqual([]);
  });

  test.each([URL, 'http://orders.shop:8000/mcp', 'http://10.0.0.7:8000/mcp', 'http://orders/mcp'])(
    'is also one in the cluster that a person wrote and removed (%s)',
    (url) => {
      const mine = file({ mcp_servers: { orders: { config: { url } } } });
      expect(whys([others], mine)).toEqual([
        'orders: the current toolset does not have it, so nobody knows which tools it has',
      ]);
      expect(whys([mine], mine)).toEqual([]);
    },
  );

  test('is none outside the cluster', () => {
    const mine = file({ mcp_servers: { theirs: { config: { url: 'https://mcp.example.com/mcp' } } } });
    expect(whys([others], mine)).toEqual([]);
  });
});
