/**
 * The process that plays hostile servers, so that their work is not counted as the program's. One port for each kind.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { createServer as createTlsServer } from 'node:tls';
import { costlyChain } from './costly-chain.ts';

/** Writes chunks until the buffer is full, and again whenever it drains. */
function pour(socket: Socket, chunk: () => string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk())) if (socket.writableLength > 65_536) break;
  };
  socket.on('drain', more);
  more();
}

/** Writes one piece per event loop tick, each in its own packet. */
function trickle(socket: Socket, pieces: Iterable<string>): void {
  socket.setNoDelay(true);
  const iterator = pieces[Symbol.iterator]();
  const next = (): void => {
    if (socket.destroyed) return;
    const { value, done } = iterator.next();
    if (done === true) return;
    socket.write(value);
    setImmediate(next);
  };
  next();
}

const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

function* characters(text: string, wrap: (character: string) => string): Generator<string> {
  for (const character of text) yield wrap(character);
}

/** What each hostile server does after a request arrives. */
const SERVERS: Readonly<Record<string, (socket: Socket) => void>> = {
  informational: (socket) => pour(socket, () => 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)),
  'tiny-chunks': (socket) => {
    socket.write(STREAM);
    trickle(socket, characters('data:{\n\n'.repeat(8_000), chunked));
  },
  'junk-events': (socket) => {
    socket.write(STREAM);
    socket.write(chunked('data:{\n\n'.repeat(7_500)));
    trickle(socket, characters('x'.repeat(64_000), chunked));
  },
  drip: (socket) => {
    socket.write(STREAM);
    trickle(
      socket,
      characters('data: {"jsonrpc"'.repeat(4_000), (character) => chunked(character)),
    );
  },
  'chunk-extensions': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
    pour(socket, () => `1;${'x=y;'.repeat(2_000)}\r\n{\r\n`);
  },
  headers: (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    pour(socket, () => `X-${'h'.repeat(1_000)}: ${'v'.repeat(1_000)}\r\n`);
  },
  endless: (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n');
    pour(socket, () => '['.repeat(16_384));
  },
  silent: () => {},
};

/** 500 tools with names of the maximum length that the program stores. */
const LONG_NAMES = Array.from({ length: 500 }, (_, n) => ({
  name: `${String(n).padStart(4, '0')}_${'n'.repeat(123)}`,
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: true },
}));

/** Four tools, every second of which is read-only. */
const FEW = Array.from({ length: 4 }, (_, n) => ({
  name: `tool_${n}_${'n'.repeat(46)}`,
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: n % 2 === 0 },
}));

const INITIALIZED = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: {} },
  serverInfo: { name: 'names', version: '1' },
};

/** An MCP server of a protocol version with a handshake. It is well-behaved, apart from the names of its tools. */
async function answerMcp(
  request: IncomingMessage,
  response: ServerResponse,
  tools: readonly unknown[],
): Promise<void> {
  const { id, method = '' } = JSON.parse((await text(request)) || '{}') as { id?: unknown; method?: string };
  const results: Readonly<Record<string, unknown>> = { initialize: INITIALIZED, 'tools/list': { tools } };
  const result = results[method];
  const error = { code: -32601, message: 'Method not found' };
  response.writeHead(id === undefined ? 202 : 200, { 'content-type': 'application/json' });
  response.end(
    id === undefined
      ? ''
      : JSON.stringify({ jsonrpc: '2.0', id, ...(result === undefined ? { error } : { result }) }),
  );
}

/** Certificates that fit into the longest handshake that probes allow, and as many as they would otherwise read. */
const CHAINS = { 'costly-chain': 10, 'long-chain': 65 };

const onSockets = (answer: (socket: Socket) => void): Server =>
  createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });

const servers: (readonly [name: string, server: Server])[] = [
  ...Object.entries(SERVERS).map(([name, answer]) => [name, onSockets(answer)] as const),
  ...Object.entries({ 'mcp-names': LONG_NAMES, 'mcp-few': FEW }).map(
    ([name, tools]) =>
      [
        name,
        createHttpServer(
          (request, response) => void answerMcp(request, response, tools).catch(() => response.destroy()),
        ),
      ] as const,
  ),
];

/** The answer that proves a Netdata. */
const NETDATA = '{"api":2,"agents":[{"mg":"a","nm":"b"}]}';
servers.push([
  'netdata',
  createHttpServer((_, response) => response.setHeader('content-type', 'application/json').end(NETDATA)),
]);

for (const [name, authorities] of Object.entries(CHAINS)) {
  const server = createTlsServer(await costlyChain(authorities), (socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'));
  });
  server.on('tlsClientError', () => {});
  servers.push([name, server]);
}

const ports: Record<string, number> = {};
for (const [name, server] of servers) {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4_096, resolve));
  ports[name] = (server.address() as { readonly port: number }).port;
}
process.on('disconnect', () => process.exit());
process.send?.(ports);
