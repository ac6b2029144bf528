import { expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { McpTool, Verdict } from '../model/discovery.ts';
import type { Fetch } from './fetch.ts';
import { createProber } from './prober.ts';
import { ToolRoom } from './tool-room.ts';

const server = (name: string, namespace = 'crowded') => service(name, { namespace });
const tools = (count: number, length: number): McpTool[] =>
  Array.from({ length: count }, (_, n) => ({
    name: String(n).padEnd(length, 'x'),
    readOnly: true,
    digest: 'd',
  }));
const verdict = (list: readonly McpTool[], rest: Partial<Verdict> = {}): Verdict => ({
  health: 'healthy',
  authRequired: false,
  proof: 'proven',
  tools: list,
  reason: 'an MCP server',
  steps: [],
  ...rest,
});
const LARGE = verdict(tools(64, 128), { toolsTruncated: true, toolsGap: 'it has more' });

/** A room whose namespace `crowded` is full, and the names of the servers in it. */
function crowded(): { readonly room: ToolRoom; readonly names: readonly string[] } {
  const room = new ToolRoom();
  const names: string[] = [];
  for (let n = 0; room.whyNone(server(`s${n}`)) === undefined; n++) {
    expect(room.take(server(`s${n}`), LARGE)).toBe(LARGE);
    names.push(`s${n}`);
  }
  return { room, names };
}

test('a namespace with 100 servers of 64 ordinary tools has room for all', () => {
  const room = new ToolRoom();
  const ordinary = verdict(tools(64, 30));
  for (let n = 0; n < 100; n++) {
    expect(room.whyNone(server(`s${n}`))).toBeUndefined();
    expect(room.take(server(`s${n}`), ordinary)).toBe(ordinary);
  }
});

test('a full namespace takes nothing from others, and its servers keep what they have', () => {
  const { room, names } = crowded();
  expect(names.length).toBeGreaterThan(50);
  expect(names.length).toBeLessThan(100);
  expect(room.whyNone(server('late'))).toBe(
    'the tools of other MCP servers in namespace crowded take all of its 2 MiB',
  );
  expect(room.whyNone(server('late', 'other'))).toBeUndefined();
  expect(room.take(server('late', 'other'), LARGE)).toBe(LARGE);
  for (const name of names) {
    expect(room.whyNone(server(name))).toBeUndefined();
    expect(room.take(server(name), LARGE)).toBe(LARGE);
  }
});

test('probes at the same time take no more than there is', () => {
  const room = new ToolRoom();
  const kept = Array.from({ length: 400 }, (_, n) => room.take(server(`s${n}`), LARGE)).filter(
    (each) => each.tools !== undefined,
  );
  expect(kept.length).toBeLessThan(100);
  const { tools: _, toolsTruncated: __, ...rest } = LARGE;
  expect(room.take(server('late'), LARGE)).toEqual({
    ...rest,
    toolsGap: 'the tools of other MCP servers in namespace crowded take all of its 2 MiB',
  });
});

test('a server that fails keeps its memory, because its tools are still known', () => {
  const { room, names } = crowded();
  const failed = verdict([], { health: 'unhealthy' });
  for (const name of names) expect(room.take(server(name), failed)).toBe(failed);
  expect(room.whyNone(server('late'))).toBeDefined();
});

test('servers that are gone, or list fewer tools, release memory', () => {
  const { room, names } = crowded();
  room.retain(names.slice(10).map((name) => server(name)));
  expect(room.whyNone(server('late'))).toBeUndefined();
  expect(room.take(server('late'), LARGE)).toBe(LARGE);

  const other = crowded();
  for (const name of other.names.slice(0, 10)) other.room.take(server(name), verdict([]));
  expect(other.room.whyNone(server('late'))).toBeUndefined();
});

test('the prober does not ask for tools for which there is no memory', async () => {
  let lists = 0;
  const fetch: Fetch = async (_, { body = '', enough }) => {
    const { method } = JSON.parse(body || '{}') as { method?: string };
    if (method === 'tools/list') lists++;
    const result = method === 'initialize' ? { serverInfo: { name: 'x' } } : { tools: tools(64, 128) };
    const text = method === 'server/discover' ? '{}' : JSON.stringify({ jsonrpc: '2.0', id: 1, result });
    enough?.(Buffer.from(text));
    return { status: 200, headers: {}, body: text };
  };
  const kinds = [{ detector: 'mcp', title: 'MCP', spec: { protocol: 'mcp' }, path: '/mcp' } as never];
  const prober = createProber(kinds, { fetch }, { concurrency: 1, timeout: 5_000 });
  const servers = Array.from({ length: 90 }, (_, n) =>
    candidate(
      service(`s${n}`, {
        ports: ['http:8000'],
        annotations: { 'kubernaut.io/toolset': 'true', 'kubernaut.io/toolset-type': 'mcp' },
      }),
    ),
  );
  const { signal } = new AbortController();
  const verdicts = await Promise.all(servers.map((each) => prober.probe(each, signal)));
  const unread = verdicts.filter((each) => each.tools === undefined);
  expect(unread.length).toBeGreaterThan(5);
  expect(unread[0]).toMatchObject({ health: 'healthy', proof: 'proven' });
  expect(lists).toBe(90 - unread.length);
  // Those that are gone make room.
  await prober.prepare?.(servers.slice(50), signal);
  expect(await prober.probe(servers.at(-1) as never, signal)).toHaveProperty('tools');
});
