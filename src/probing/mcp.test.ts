import { describe, expect, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { httpBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { endpointUrl } from '../model/discovery.ts';
import { directFetch } from './direct.ts';
import type { Fetch } from './fetch.ts';
import { probeMcp } from './mcp.ts';

const mcp = candidate(
  service('deployments', { labels: { 'app.kubernetes.io/name': 'mcp-server' }, ports: ['mcp:8080'] }),
);
/** The URL of the candidate, without its path. */
const HOST = endpointUrl({ ...mcp.endpoint, path: '' });
const signal = (): AbortSignal => AbortSignal.timeout(5_000);

/** An MCP server of the era with a handshake, which sends its answer in these pieces and keeps the stream open. */
const streaming = (...pieces: readonly string[]) =>
  httpBackend((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      if (!body.includes('initialize')) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const piece of pieces) response.write(piece);
    });
  });

const ANSWER = `data: ${JSON.stringify({ jsonrpc: '2.0', id: 1, result: { serverInfo: { name: 'x' } } })}\n\n`;

test('a stream that stays open is read until the response arrives', async () => {
  const backend = await streaming(': hello\n\n', ANSWER.slice(0, 20), ANSWER.slice(20));
  const verdict = await probeMcp(mcp, directFetch(backend.standsFor(mcp)), signal());
  expect(verdict).toMatchObject({ health: 'healthy', proof: 'proven', facts: { eras: 'legacy' } });
});

test('a stream of other messages is abandoned after a few of them, long before the timeout', async () => {
  const backend = await streaming('data:{\n\n'.repeat(1_000));
  const verdict = await probeMcp(mcp, directFetch(backend.standsFor(mcp)), signal());
  expect(verdict).toMatchObject({ health: 'unhealthy', proof: 'contradicted' });
});

describe('what forwards the request has another Host name', () => {
  const allowing = { status: 200, headers: { 'content-type': 'text/event-stream' }, body: '' };
  const EVENT = 'event: endpoint\ndata: /messages\n\n';

  /** Passes requests on as the API server does, to a server that refuses its name. */
  const forwarding =
    (own: { readonly status: number; readonly body: string }, asked: boolean[] = []): Fetch =>
    async (_candidate, { ownHost = false, enough }) => {
      asked.push(ownHost);
      const body = ownHost ? own.body : 'Invalid Host header';
      enough?.(Buffer.from(body));
      return ownHost ? { ...allowing, ...own } : { status: 421, headers: {}, body, hasForeignHost: true };
    };
  const probed = (fetch: Fetch) => probeMcp({ ...mcp, mode: 'sse' }, fetch, signal());

  test('a server that allows its own is proven', async () => {
    const asked: boolean[] = [];
    expect(await probed(forwarding({ status: 200, body: EVENT }, asked))).toMatchObject({
      health: 'healthy',
      proof: 'proven',
    });
    expect(asked).toEqual([false, true]);
  });

  test('a server that refuses its own, too, says so', async () => {
    expect(await probed(forwarding({ status: 421, body: 'Invalid Host header' }))).toMatchObject({
      health: 'unhealthy',
      reason: expect.stringContaining('add deployments.monitoring.svc.cluster.local to the hosts'),
    });
  });

  test('a server that wants a login says so', async () => {
    expect(await probed(forwarding({ status: 401, body: '' }))).toMatchObject({ authRequired: true });
  });

  test('nothing is known if something on the way does not know the name', async () => {
    expect(await probed(forwarding({ status: 404, body: 'no such site' }))).toMatchObject({
      health: 'unknown',
      proof: 'unproven',
      reason: expect.stringContaining('only direct probes show'),
    });
  });
});

test.each([
  ['421', 421, 'Invalid Host header'],
  [
    '403 with the word host',
    403,
    '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Invalid Host: x"},"id":null}',
  ],
])(
  'a server that refuses the Host name says so, and not that it wants a login: %s',
  async (_, status, body) => {
    const backend = await httpBackend((_request, response) => void response.writeHead(status).end(body));
    for (const mode of ['streamable-http', 'sse'] as const) {
      const verdict = await probeMcp({ ...mcp, mode }, directFetch(backend.standsFor(mcp)), signal());
      expect(verdict).toMatchObject({
        health: 'unhealthy',
        authRequired: false,
        proof: 'unproven',
        reason:
          'it refuses the Host name of requests: add deployments.monitoring.svc.cluster.local to the hosts that the server allows',
      });
    }
  },
);

test('other refusals are a login', async () => {
  const backend = await httpBackend((_request, response) => void response.writeHead(403).end('forbidden'));
  const verdict = await probeMcp(mcp, directFetch(backend.standsFor(mcp)), signal());
  expect(verdict).toMatchObject({ health: 'healthy', authRequired: true });
});

/** An answer of an MCP server to a request of the era with a handshake, as text. */
function answerTo(body: string): string {
  const { id, method } = JSON.parse(body) as { id?: number; method: string };
  const result =
    method === 'tools/list' ? { tools: [{ name: 'get_weather' }] } : { serverInfo: { name: 'weather' } };
  return JSON.stringify({ jsonrpc: '2.0', id, result });
}

interface Served {
  readonly path: string;
  readonly sse?: boolean;
  /** Paths that redirect, each with the status and the location. */
  readonly redirects?: Readonly<Record<string, readonly [number, string]>>;
  /** Status at other paths. */
  readonly otherwise?: number;
}

/** A server at one path. It records what it was asked. */
async function servedAt({ path, sse = false, redirects = {}, otherwise = 404 }: Served) {
  const asked: string[] = [];
  const backend = await httpBackend((request, response) => {
    const { method = '', url = '' } = request;
    asked.push(`${method} ${url}`);
    const [status, location] = redirects[url] ?? [];
    if (status !== undefined) return void response.writeHead(status, { location }).end('moved');
    if (url !== path || (method === 'GET') !== sse) return void response.writeHead(otherwise).end('no');
    if (sse) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return void response.write('event: endpoint\ndata: /messages?session=1\n\n');
    }
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const isKnown = /"(initialize|tools\/list)"/.test(body);
      response.writeHead(isKnown ? 200 : 400).end(isKnown ? answerTo(body) : '');
    });
  });
  return { asked, fetch: directFetch(backend.standsFor(mcp)) };
}

test.each<[string, Served, object]>([
  ['at /mcp', { path: '/mcp' }, {}],
  ['at the root', { path: '/' }, { path: '' }],
  ['at the root, where other paths are not allowed', { path: '/', otherwise: 405 }, { path: '' }],
  ['at /sse only', { path: '/sse', sse: true }, { path: '/sse', mode: 'sse' }],
  ['at /sse, beside a page at the root', { path: '/sse', sse: true, otherwise: 200 }, { path: '/sse' }],
  ['at /mcp/, to which agents are redirected', { path: '/mcp/', redirects: { '/mcp': [307, '/mcp/'] } }, {}],
  ['at /mcp/, with its own host', { path: '/mcp/', redirects: { '/mcp': [308, `${HOST}/mcp/`] } }, {}],
  [
    'at /mcp/, where redirects lose requests',
    { path: '/mcp/', redirects: { '/mcp': [301, '/mcp/'] } },
    { path: '/mcp/' },
  ],
  ['at /mcp/ only', { path: '/mcp/' }, { path: '/mcp/' }],
  ['below a prefix', { path: '/api/mcp', redirects: { '/mcp': [307, '/api/mcp'] } }, { path: '/api/mcp' }],
  [
    'below a prefix, moved',
    { path: '/api/mcp', redirects: { '/mcp': [301, 'api/mcp'] } },
    { path: '/api/mcp' },
  ],
])('a server is found where it serves: %s', async (_, served, place) => {
  const { fetch } = await servedAt(served);
  const verdict = await probeMcp(mcp, fetch, signal());
  expect(verdict).toMatchObject({ health: 'healthy', proof: 'proven', ...place });
  if (!('path' in place)) expect(verdict).not.toHaveProperty('path');
  if (!served.sse) {
    expect(verdict.tools?.map(({ name }) => name)).toEqual(['get_weather']);
    expect(verdict.reason).toBe('an MCP server named weather with protocol version 2025-11-25 or earlier');
  }
});

test.each<[string, Served]>([
  ['to another host', { path: '/m/', redirects: { '/mcp': [307, 'http://169.254.169.254/m/'] } }],
  ['to another port', { path: '/m/', redirects: { '/mcp': [307, `${HOST.replace('8080', '8081')}/m/`] } }],
  ['to another scheme', { path: '/m/', redirects: { '/mcp': [307, `${HOST.replace('http', 'https')}/m/`] } }],
  ['with a template in its path', { path: '/{{x}}', redirects: { '/mcp': [307, '/{{x}}'] } }],
  ['with a long path', { path: `/${'x'.repeat(300)}`, redirects: { '/mcp': [307, `/${'x'.repeat(300)}`] } }],
  [
    'that goes on and on',
    {
      path: '/5',
      redirects: {
        '/mcp': [307, '/1'],
        '/1': [307, '/2'],
        '/2': [307, '/3'],
        '/3': [307, '/4'],
        '/4': [307, '/5'],
      },
    },
  ],
])('no redirect is followed %s', async (_, served) => {
  const { fetch, asked } = await servedAt(served);
  expect(await probeMcp(mcp, fetch, signal())).toMatchObject({ health: 'unhealthy', proof: 'contradicted' });
  expect(asked).not.toContain(`POST ${served.path}`);
  expect(asked.length).toBeLessThanOrEqual(7);
});

test.each<[string, Served]>([
  ['its path', { path: '/x', redirects: { '/mcp': [302, '/login'] } }],
  ['the path of its events', { path: '/x', redirects: { '/sse': [302, '/oauth2/start'] } }],
])('a redirect of %s to a login page of its own means that credentials are required', async (_, served) => {
  const { fetch } = await servedAt(served);
  const way =
    served.redirects?.['/sse'] === undefined
      ? mcp
      : { ...mcp, mode: 'sse' as const, endpoint: { ...mcp.endpoint, path: '/sse' } };
  expect(await probeMcp(way, fetch, signal())).toMatchObject({ health: 'healthy', authRequired: true });
});

test('an owner decides the path: no other is tried', async () => {
  const { fetch, asked } = await servedAt({ path: '/mcp' });
  const own = { ...mcp, endpoint: { ...mcp.endpoint, path: '/tools/mcp' } };
  expect(await probeMcp(own, fetch, signal())).toMatchObject({ proof: 'contradicted' });
  expect(new Set(asked)).toEqual(new Set(['POST /tools/mcp']));
});

test('a server that wants a login at its path, or does not work, is asked nowhere else', async () => {
  for (const otherwise of [401, 503]) {
    const { fetch, asked } = await servedAt({ path: '/', otherwise });
    expect(await probeMcp(mcp, fetch, signal())).toMatchObject({ proof: 'unproven' });
    expect(new Set(asked)).toEqual(new Set(['POST /mcp']));
  }
});

test('a candidate with the old transport is found with the new one', async () => {
  const { fetch } = await servedAt({ path: '/mcp' });
  const old = { ...mcp, mode: 'sse' as const, endpoint: { ...mcp.endpoint, path: '/sse' } };
  expect(await probeMcp(old, fetch, signal())).toMatchObject({
    proof: 'proven',
    path: '/mcp',
    mode: 'streamable-http',
  });
});

test('what is known before other ways are tried counts if there is no time for them', async () => {
  const { fetch } = await servedAt({ path: '/sse', sse: true });
  const known = vi.fn();
  await probeMcp(mcp, fetch, signal(), { known });
  expect(known.mock.calls[0]?.[0]).toMatchObject({ proof: 'contradicted' });
});
