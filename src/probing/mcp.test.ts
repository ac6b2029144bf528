import { expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { httpBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { directFetch } from './direct.ts';
import { probeMcp } from './mcp.ts';

const mcp = candidate(
  service('deployments', { labels: { 'app.kubernetes.io/name': 'mcp-server' }, ports: ['mcp:8080'] }),
);
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
