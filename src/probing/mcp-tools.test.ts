import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { httpBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { directFetch } from './direct.ts';
import { ProbeFailure } from './fetch.ts';
import { createRpcCall } from './json-rpc.ts';
import { probeMcp } from './mcp.ts';
import { type FetchToolPage, listTools } from './mcp-tools.ts';
import { createProber } from './prober.ts';

const bytes = 100;
const values = 10;
const status = 200;
const one = (tools: unknown, nextCursor?: unknown) => async () => ({
  status,
  message: { result: { tools, nextCursor } },
  bytes,
  values,
});
const toolsOf = async (tools: unknown) => (await listTools(one(tools))).tools ?? [];

describe('parsing a list', () => {
  test('a tool is read-only only if it declares that explicitly', async () => {
    const annotated = (name: string, annotations?: unknown) => ({ name, annotations });
    const tools = await toolsOf([
      annotated('a', { readOnlyHint: true }),
      annotated('b', { readOnlyHint: 'true' }),
      annotated('c', { readOnlyHint: 1 }),
      annotated('d', [{ readOnlyHint: true }]),
      annotated('e'),
      annotated('f', { readOnlyHint: true, destructiveHint: true }),
    ]);
    expect(tools.filter(({ readOnly }) => readOnly).map(({ name }) => name)).toEqual(['a', 'f']);
  });

  test('the digest depends only on the tool, whatever the order of its keys', async () => {
    const digest = async (tool: object): Promise<string | undefined> =>
      (await toolsOf([{ name: 'a', ...tool }]))[0]?.digest;
    const schema = { type: 'object', properties: { x: { type: 'string' }, y: {} } };
    const turned = { properties: { y: {}, x: { type: 'string' } }, type: 'object' };
    const base = await digest({ description: 'd', inputSchema: schema });
    expect(await digest({ inputSchema: turned, description: 'd' })).toBe(base);
    expect(await digest({ inputSchema: turned, description: 'd', icons: [] })).toBe(base);
    for (const other of [
      { description: 'e', inputSchema: schema },
      { description: 'd', inputSchema: { ...schema, properties: {} } },
      { description: 'd', inputSchema: schema, annotations: { title: 't' } },
      { description: 'd', inputSchema: schema, title: 't' },
      { description: 'd', inputSchema: schema, outputSchema: schema },
    ])
      expect(await digest(other)).not.toBe(base);
  });

  test('texts are kept only on request, and those of two tools with one name together', async () => {
    const tools = [{ name: 'a', description: 'one' }, { name: 'a', description: 'two' }, { name: 'b' }];
    expect((await toolsOf(tools)).map(({ texts }) => texts)).toEqual([undefined, undefined]);
    const kept = await listTools(one(tools), true);
    expect(kept.tools?.map(({ name, texts }) => [name, texts])).toEqual([
      ['a', ['one', 'two']],
      ['b', []],
    ]);
    const digests = async (keepsTexts: boolean) =>
      (await listTools(one(tools), keepsTexts)).tools?.map(({ digest }) => digest);
    expect(await digests(true)).toEqual(await digests(false));
  });

  test('of two tools with one name, neither is read-only unless both are', async () => {
    const readOnly = { name: 'a', annotations: { readOnlyHint: true } };
    expect(await toolsOf([readOnly, { name: 'a' }])).toMatchObject([{ name: 'a', readOnly: false }]);
    expect(await toolsOf([{ name: 'a' }, readOnly])).toMatchObject([{ name: 'a', readOnly: false }]);
  });

  test.each<[string, Awaited<ReturnType<FetchToolPage>>, string]>([
    [
      'gets no response',
      new ProbeFailure('it closed the connection', 'protocol'),
      'got no response: it closed',
    ],
    ['gets a status', { status: 500, message: undefined, bytes, values }, 'got status 500'],
    [
      'gets an error',
      { status, message: { error: { code: -32603 } }, bytes, values },
      'got the error -32603',
    ],
    [
      'gets an error that says nothing',
      { status, message: { error: { code: 'x' } }, bytes, values },
      'without tools',
    ],
    ['gets no list', { status, message: { result: {} }, bytes, values }, 'got a response without tools'],
    [
      'gets no message',
      { status, message: undefined, bytes, values },
      'got a response that is not of the protocol',
    ],
  ])('if a page %s, the tools are unknown, and it is said why', async (_, broken, gap) => {
    const first = await listTools(async () => broken);
    expect(first).toEqual({ gap: expect.stringMatching(`^its list .*${gap}`) });
    const page = one([{ name: 'a' }], 'next');
    const second = await listTools(async (cursor) => (cursor === undefined ? page() : broken));
    expect(second).toEqual({ gap: expect.stringMatching(`^page 2 of its list .*${gap}`) });
  });

  test.each([[undefined], ['x'], [{ 0: {} }], [null]])('%j is not a list', async (tools) => {
    expect(await listTools(one(tools))).toEqual({ gap: 'its list got a response without tools' });
  });

  test('entries that are not tools are skipped', async () => {
    expect(await toolsOf([null, 1, [], {}, { name: 5 }, { name: 'a' }])).toHaveLength(1);
  });

  test('a tool without a name counts, as it does for HolmesGPT', async () => {
    expect((await toolsOf([{ name: '' }, { name: 'a' }])).map(({ name }) => name)).toEqual(['', 'a']);
  });

  test('with an endlessly nested schema, the tools are unknown', async () => {
    const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as unknown;
    expect(await listTools(one([{ name: 'a', inputSchema: deep }]))).toEqual({
      gap: 'one of its tools is nested more than 64 levels deep',
    });
  });

  test('any JSON gives a list or none, and no error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue(), async (tools, cursor) => {
        const list = await listTools(one(tools, cursor));
        expect(list.tools?.length ?? 0).toBeLessThanOrEqual(512);
      }),
    );
  });
});

describe('limits', () => {
  const many = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => ({ name: `tool-${String(from + index).padStart(4, '0')}` }));

  test('512 tools are complete, and one more is truncated', async () => {
    expect(await listTools(one(many(512)))).not.toHaveProperty('gap');
    const list = await listTools(one(many(513)));
    expect([list.tools?.length, list.gap]).toEqual([512, 'it has more than 512 tools']);
  });

  test('pages are read in order, up to eight of them', async () => {
    const cursors: (string | undefined)[] = [];
    const list = await listTools(async (cursor) => {
      cursors.push(cursor);
      const page = Number(cursor ?? 0);
      return {
        status,
        message: { result: { tools: many(2, page * 2), nextCursor: String(page + 1) } },
        bytes,
        values,
      };
    });
    expect(cursors).toEqual([undefined, '1', '2', '3', '4', '5', '6', '7']);
    expect([list.tools?.length, list.gap]).toEqual([16, 'it has more than 8 pages']);
  });

  test('values are counted on all pages', async () => {
    const pages = (first: number, second: number) => async (cursor: string | undefined) => ({
      ...{ status, bytes },
      message: { result: { tools: many(1, Number(cursor ?? 0)), ...(cursor ? {} : { nextCursor: '1' }) } },
      values: cursor === undefined ? first : second,
    });
    const gap = 'it has more than 16384 values';
    expect(await listTools(pages(16_385, 0))).toEqual({ gap });
    expect(await listTools(pages(16_383, 1))).not.toHaveProperty('gap');
    const list = await listTools(pages(16_384, 1));
    expect([list.tools?.length, list.gap]).toEqual([1, gap]);
  });

  test('an invalid cursor ends it', async () => {
    let asked = 0;
    const list = await listTools(async () => {
      asked++;
      return { status, message: { result: { tools: many(1), nextCursor: 'same' } }, bytes, values };
    });
    expect([asked, list.gap]).toEqual([2, 'page 2 of its list names itself as the next one']);
  });

  test('256 KiB is the limit of all pages together', async () => {
    const limits: number[] = [];
    const list = await listTools(async (_, limit) => {
      limits.push(limit);
      const page = limits.length;
      return {
        status,
        message: { result: { tools: many(1, page), nextCursor: `${page}` } },
        bytes: 100 * 1024,
        values,
      };
    });
    expect(limits).toEqual([256, 156, 56].map((kib) => kib * 1024));
    expect(list.gap).toBe('it needs more than 256 KiB');
  });

  test('the names of all tools together are limited', async () => {
    const long = Array.from({ length: 500 }, (_, n) => ({ name: `${n}-${'x'.repeat(120)}` }));
    const list = await listTools(one(long));
    expect(list.gap).toBe('the names of its tools need more than 8 KiB');
    expect(list.tools?.map(({ name }) => name).join('').length).toBeLessThanOrEqual(8 * 1024);
    expect(list.tools?.length).toBeGreaterThan(50);
  });

  test('a page beyond the limit is left out, and those before it are kept', async () => {
    const cut = { status, message: undefined, bytes: 256 * 1024, values };
    expect(await listTools(async () => cut)).toEqual({ tools: [], gap: 'it needs more than 256 KiB' });
    const page = one([{ name: 'a' }], 'next');
    const list = await listTools(async (cursor) => (cursor === undefined ? page() : cut));
    expect([list.tools?.length, list.gap]).toEqual([1, 'it needs more than 256 KiB']);
  });
});

const mcp = candidate(
  service('deployments', { labels: { 'app.kubernetes.io/name': 'mcp-server' }, ports: ['mcp:8080'] }),
);

/** A server with a handshake and a session. @param list answers `tools/list`; `closed`: it closes the connection; nothing: it never does */
async function sessionServer(list: ((cursor: unknown) => object) | 'closed' | undefined) {
  const seen: string[] = [];
  const backend = await httpBackend((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const { method = request.method, params } =
        body === '' ? {} : (JSON.parse(body) as { method?: string; params?: { cursor?: unknown } });
      seen.push(`${method} ${request.headers['mcp-session-id'] ?? '-'}`);
      const answer = (result: object, headers = {}): void =>
        void response
          .writeHead(200, { 'content-type': 'application/json', ...headers })
          .end(JSON.stringify({ jsonrpc: '2.0', id: 1, result }));
      if (method === 'initialize')
        answer({ protocolVersion: '2025-06-18', serverInfo: { name: 'x' } }, { 'mcp-session-id': 's1' });
      else if (method === 'tools/list' && list === 'closed') response.destroy();
      else if (method === 'tools/list') typeof list === 'function' && answer(list(params?.cursor));
      else response.writeHead(method === 'notifications/initialized' ? 202 : 404).end();
    });
  });
  return { backend, seen };
}

const READ = { name: 'read', annotations: { readOnlyHint: true } };
const WRITE = { name: 'write' };

test('the session that proves a server lists its tools, and is closed', async () => {
  const { backend, seen } = await sessionServer((cursor) =>
    cursor === undefined ? { tools: [WRITE], nextCursor: 'more' } : { tools: [READ] },
  );
  const verdict = await probeMcp(mcp, directFetch(backend.standsFor(mcp)), AbortSignal.timeout(5_000));
  expect(verdict).toMatchObject({ health: 'healthy', proof: 'proven' });
  expect(verdict.tools?.map(({ name, readOnly }) => [name, readOnly])).toEqual([
    ['read', true],
    ['write', false],
  ]);
  expect(verdict).not.toHaveProperty('toolsTruncated');
  expect(seen).toEqual([
    'server/discover -',
    'initialize -',
    'notifications/initialized s1',
    'tools/list s1',
    'tools/list s1',
    'DELETE s1',
  ]);
});

test('numbers that a double would round are hashed and shown as they were sent', async () => {
  const listed = async (number: string) => {
    const body = `{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"a","inputSchema":{"maximum":${number}}}]}}`;
    const call = createRpcCall({ path: '/', method: 'tools/list' });
    call.request.enough?.(Buffer.from(body));
    const page = { status, message: call.message({ status, headers: {}, body }), bytes, values };
    const [tool] = (await listTools(async () => page, true)).tools ?? [];
    return { digest: tool?.digest, texts: tool?.texts };
  };
  const one = await listed('1');
  expect((await listed('1.0')).digest).toBe(one.digest);
  for (const number of ['1.00000000000000001', '9007199254740993', '9007199254740992', '1e400', '1e401']) {
    const other = await listed(number);
    expect(other.texts?.join()).toContain(`"maximum": ${number}`);
    expect(other.digest).not.toBe(one.digest);
  }
  expect((await listed('9007199254740993')).digest).not.toBe((await listed('9007199254740992')).digest);
  expect((await listed('1e400')).digest).not.toBe((await listed('1e401')).digest);
  // A mapping that looks like a number inside of this program is still a mapping.
  const number = await listed('9007199254740993');
  for (const text of ['9007199254740993', '\\"9007199254740993\\"'])
    expect((await listed(`{"rawJSON":"${text}"}`)).digest).not.toBe(number.digest);
  expect((await listed('7')).digest).toBe('6B084l5RuufhrlU0pPd-kVm3in5_C4-6jwMnZBUrB_U'); // As recorded approvals have it.
});

test('a server that closes the connection in place of a list is proven, with unknown tools', async () => {
  const { backend } = await sessionServer('closed');
  const verdict = await probeMcp(mcp, directFetch(backend.standsFor(mcp)), AbortSignal.timeout(5_000));
  expect(verdict).toMatchObject({ health: 'healthy', proof: 'proven' });
  expect([verdict.tools, verdict.toolsTruncated]).toEqual([undefined, undefined]);
  expect(verdict.toolsGap).toMatch(/^its list got no response: /);
});

test('a server whose second page fails is proven, with unknown tools, which is not said to be too many', async () => {
  const { backend } = await sessionServer((cursor) =>
    cursor === undefined ? { tools: [WRITE], nextCursor: 'more' } : { content: [] },
  );
  const verdict = await probeMcp(mcp, directFetch(backend.standsFor(mcp)), AbortSignal.timeout(5_000));
  expect(verdict).toMatchObject({
    proof: 'proven',
    toolsGap: 'page 2 of its list got a response without tools',
  });
  expect([verdict.tools, verdict.toolsTruncated]).toEqual([undefined, undefined]);
});

test('a server that never lists its tools is still proven, and its session is closed', async () => {
  const { backend, seen } = await sessionServer(undefined);
  const prober = createProber(
    [{ detector: 'mcp', title: 'MCP', spec: { protocol: 'mcp' }, path: '/mcp' } as never],
    { fetch: directFetch(backend.standsFor(mcp)) },
    { concurrency: 1, timeout: 300 },
  );
  const verdict = await prober.probe(mcp, new AbortController().signal);
  expect(verdict).toMatchObject({ health: 'healthy', proof: 'proven' });
  expect(verdict).not.toHaveProperty('tools');
  expect(verdict.toolsGap).toBe('it did not list them within the time of the probe');
  await expect.poll(() => seen.at(-1)).toBe('DELETE s1');
});
