import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Service } from '../../src/model/service.ts';
import { discoverAt, httpTypes, labelled, outcome, outcomes } from './probing.ts';
import { type RealServer, startReal } from './real-process.ts';

const EVERYTHING = fileURLToPath(
  import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'),
);

const overStreamableHttp: Service = labelled('mcp');
const overSse: Service = labelled('mcp', {
  name: 'over-sse',
  ports: [{ name: 'mcp-sse', port: 8080, protocol: 'TCP' }],
});

/** It has nothing at any path that a GET request may have, so nothing contradicts the labels. */
function expectUnproven(found: Readonly<Record<string, string>>): void {
  expect(Object.keys(found).sort()).toEqual(httpTypes.map((type) => `labelled-${type}`).sort());
  for (const text of Object.values(found)) expect(text).toMatch(/, unknown, unproven$/);
}

/** A server of the reference implementation, which knows the era with a handshake only. */
function everything(transport: 'streamableHttp' | 'sse'): () => RealServer {
  let server: RealServer | undefined;
  beforeAll(async () => {
    server = await startReal({
      program: process.execPath,
      args: () => [EVERYTHING, transport],
      env: (port) => ({ PORT: String(port) }),
    });
  }, 30_000);
  afterAll(() => server?.stop());
  return () => {
    if (server === undefined) throw new Error('not started yet');
    return server;
  };
}

interface Seen {
  readonly request: string;
  readonly status: number;
  /** The session that the request belongs to, or that its answer opened. */
  readonly session: string | undefined;
}

async function bytesOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const body = await buffer(request);
  return body.length === 0 ? undefined : body;
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const plain = Object.entries(headers).map(([name, value]) => [name, [value ?? []].flat().join(', ')]);
  return Object.fromEntries(plain.filter(([name]) => name !== 'connection' && name !== 'host'));
}

/** Listens on a free loopback port. */
async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((request, response) => {
    handler(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => void server.close().closeAllConnections(),
  };
}

/** Passes requests on to a server, and remembers what was asked and in which session. */
async function watched(target: () => number, seen: Seen[]): ReturnType<typeof listen> {
  return listen(async (request, response) => {
    const body = await bytesOf(request);
    const answer = await fetch(`http://127.0.0.1:${target()}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headersOf(request),
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    const method = body === undefined ? '' : ` ${(JSON.parse(body.toString()) as { method: string }).method}`;
    const session = answer.headers.get('mcp-session-id') ?? request.headers['mcp-session-id'];
    seen.push({
      request: `${request.method} ${request.url}${method}`,
      status: answer.status,
      session: session === undefined ? undefined : String(session),
    });
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const chunk of answer.body ?? []) response.write(chunk);
    response.end();
  });
}

/** Asks for the tools in a session. @returns the status */
async function useSession(port: number, session: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/mcp`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': session,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} }),
  });
  await response.body?.cancel();
  return response.status;
}

describe('a server with sessions, over streamable HTTP', { timeout: 30_000 }, () => {
  const server = everything('streamableHttp');

  it('is confirmed, and each session that a probe opened is closed', async () => {
    const seen: Seen[] = [];
    const proxy = await watched(() => server().port, seen);
    try {
      for (let pass = 0; pass < 3; pass++) {
        const { services, problems } = await discoverAt(proxy.port, [overStreamableHttp]);
        expect(services.map(outcome)).toEqual(['mcp /mcp, healthy, proven']);
        expect(services[0]?.verdict.facts).toEqual({ eras: 'legacy' });
        expect(services[0]?.verdict.tools?.find(({ name }) => name === 'echo')).toMatchObject({
          name: 'echo',
          digest: expect.stringMatching(/^[\w-]{43}$/),
        });
        expect(services[0]?.verdict).not.toHaveProperty('toolsTruncated');
        expect(problems).toEqual([]);
      }
    } finally {
      proxy.close();
    }
    const opened = seen.filter(({ request }) => request === 'POST /mcp initialize');
    const ended = seen.filter(({ request }) => request === 'DELETE /mcp');
    expect(opened).toHaveLength(3);
    expect(new Set(opened.map(({ session }) => session)).size).toBe(3);
    expect(ended.map(({ session }) => session)).toEqual(opened.map(({ session }) => session));
    expect(ended.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const { session = '' } of opened) expect(await useSession(server().port, session)).toBe(400);
    // No other request opened one.
    expect(
      server()
        .output()
        .match(/Session initialized/g),
    ).toHaveLength(3);
  });

  it('would keep a session that is not closed', async () => {
    const response = await fetch(`http://127.0.0.1:${server().port}/mcp`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: {
          protocolVersion: '2025-11-25',
          capabilities: {},
          clientInfo: { name: 'test', version: '1' },
        },
      }),
    });
    await response.body?.cancel();
    const session = response.headers.get('mcp-session-id') ?? '';
    expect(session).not.toBe('');
    expect(await useSession(server().port, session)).toBe(200);
  });

  it('is unproven as anything but MCP, and found although it is declared as the old transport', async () => {
    const types = [...httpTypes, 'kafka'];
    const found = await discoverAt(server().port, [...types.map((type) => labelled(type)), overSse]);
    const { 'over-sse': old, ...others } = outcomes(found);
    expect(old).toBe('mcp /mcp, healthy, proven');
    expectUnproven(others);
    expect(found.problems).toHaveLength(types.length);
  });
});

describe('a server of the old transport, SSE', { timeout: 30_000 }, () => {
  const server = everything('sse');

  it('is confirmed by the endpoint that it names, and its stream does not stay open', async () => {
    const { services } = await discoverAt(server().port, [overSse]);
    expect(services.map(outcome)).toEqual(['mcp /sse, healthy, proven']);
    expect(services[0]?.mode).toBe('sse');
    await vi.waitFor(() => {
      expect(
        server()
          .output()
          .match(/Client Connected/g),
      ).toHaveLength(1);
      expect(
        server()
          .output()
          .match(/Client Disconnected/g),
      ).toHaveLength(1);
    });
  });

  it('is found although it is declared as streamable HTTP', async () => {
    const { services } = await discoverAt(server().port, [overStreamableHttp]);
    expect(services.map(outcome)).toEqual(['mcp /sse, healthy, proven']);
    expect(services[0]?.mode).toBe('sse');
  });
});

describe.each([
  { name: 'of 2026-07-28 only', legacy: 'reject', eras: 'modern' },
  { name: 'of both eras', legacy: 'stateless', eras: 'both' },
] as const)('a server $name', { timeout: 30_000 }, ({ legacy, eras }) => {
  const asked: string[] = [];
  let server: Awaited<ReturnType<typeof listen>>;
  beforeAll(async () => {
    const factory = (): McpServer => {
      const made = new McpServer({ name: 'orders-tools', version: '1.4.0' });
      const run = () => ({ content: [] });
      made.registerTool('list_orders', { annotations: { readOnlyHint: true } }, run);
      made.registerTool('cancel_order', { description: 'Cancels an order' }, run);
      return made;
    };
    const handler = createMcpHandler(factory, { legacy });
    server = await listen(async (request, response) => {
      const body = await bytesOf(request);
      asked.push(request.method ?? '');
      if (request.url !== '/mcp') {
        response.writeHead(404).end();
        return;
      }
      const answer = await handler.fetch(
        new Request(`http://127.0.0.1${request.url}`, {
          method: request.method ?? 'GET',
          headers: headersOf(request),
          ...(body === undefined ? {} : { body: new Uint8Array(body) }),
        }),
      );
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      for await (const chunk of answer.body ?? []) response.write(chunk);
      response.end();
    });
  });
  afterAll(() => server.close());

  it('is confirmed, with the eras that it supports', async () => {
    const { services, problems } = await discoverAt(server.port, [overStreamableHttp]);
    expect(services.map(outcome)).toEqual(['mcp /mcp, healthy, proven']);
    expect(services[0]?.verdict.facts).toEqual({ eras });
    expect(services[0]?.verdict.tools?.map(({ name, readOnly }) => [name, readOnly])).toEqual([
      ['cancel_order', false],
      ['list_orders', true],
    ]);
    expect(problems).toEqual([]);
    // It keeps no sessions, so there is none to end.
    expect(asked).not.toContain('DELETE');
  });

  it('is unproven as anything but MCP', async () => {
    const found = await discoverAt(
      server.port,
      httpTypes.map((type) => labelled(type)),
    );
    expectUnproven(outcomes(found));
    expect(found.problems).toHaveLength(httpTypes.length);
  });
});
