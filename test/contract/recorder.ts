import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { text } from 'node:stream/consumers';

/** A server that says yes to everything and keeps what it was sent. */
export interface Recorder {
  readonly address: string;
  /** Of an HTTP server each request with its URL and headers; of a broker the texts of each connection. */
  readonly seen: readonly string[];
  readonly close: () => void;
}

/** Listens on a free port of this machine, and gives the port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What the checks of the toolsets look for in an answer. */
const ANSWER = {
  status: 'success',
  cluster_name: 'c',
  data: { resultType: 'vector', result: [] },
  traces: [],
  management_version: '4',
};

/** Results of an MCP server with one tool. */
const MCP: Readonly<Record<string, unknown>> = {
  initialize: {
    protocolVersion: '2025-03-26',
    capabilities: { tools: {} },
    serverInfo: { name: 'recorder', version: '1' },
  },
  'tools/list': { tools: [{ name: 'ask', inputSchema: { type: 'object' } }] },
  'tools/call': { content: [{ type: 'text', text: 'yes' }] },
};

/** The answer to a message of MCP, and nothing to one that wants none; `undefined` for what is no message of MCP. */
function mcpAnswer(body: string): string | undefined {
  if (!body.includes('"jsonrpc"')) return undefined;
  const { id, method } = JSON.parse(body) as { id?: number; method: string };
  return id === undefined ? '' : JSON.stringify({ jsonrpc: '2.0', id, result: MCP[method] ?? {} });
}

/**
 * Answers as the backends do. Below a path with `digest` it asks for a login first, since without a challenge no client
 * sends a digest; at `/sse` it speaks the old transport of MCP.
 */
function respond(
  request: IncomingMessage,
  body: string,
  response: ServerResponse,
  streams: Map<string, ServerResponse>,
): void {
  const { method, url = '', headers } = request;
  if (url.includes('digest') && headers.authorization === undefined) {
    response.writeHead(401, { 'www-authenticate': 'Digest realm="r", nonce="n", qop="auth"' }).end();
    return;
  }
  if (method === 'GET' && headers.accept?.includes('text/event-stream') === true) {
    if (!url.endsWith('/sse')) {
      response.writeHead(405).end();
      return;
    }
    const session = `${url}/${streams.size}`;
    streams.set(session, response);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: endpoint\ndata: ${session}\n\n`);
    return;
  }
  const answer = mcpAnswer(body);
  const stream = streams.get(url);
  if (answer === '' || stream !== undefined) {
    if (answer !== '') stream?.write(`event: message\ndata: ${answer}\n\n`);
    response.writeHead(202).end();
    return;
  }
  response.setHeader('content-type', 'application/json');
  response.end(answer ?? JSON.stringify(ANSWER));
}

/** A backend of every kind that speaks HTTP, MCP servers included. */
export async function recordingServer(): Promise<Recorder> {
  const seen: string[] = [];
  const streams = new Map<string, ServerResponse>();
  const server = createServer(async (request, response) => {
    seen.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`);
    respond(request, await text(request), response, streams);
  });
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { address: `http://127.0.0.1:${await listen(server)}`, seen, close };
}
