import type { IncomingMessage } from 'node:http';
import { text as readText } from 'node:stream/consumers';
import { type Answer, type Handler, json, NOT_FOUND, send, text } from '../answers.ts';

const TOOLS = [
  {
    name: 'list_alerts',
    description: 'Lists alerts',
    inputSchema: { type: 'object', properties: {} },
    annotations: { readOnlyHint: true },
  },
];

export interface McpServer {
  /** The path at which it listens; default `/mcp`. */
  readonly at?: string;
  /** Its responses are event streams, as those of most SDKs. */
  readonly streams?: boolean;
  /** Answers to requests elsewhere by path, with any method. */
  readonly elsewhere?: Readonly<Record<string, Answer>>;
  /** Answers instead, if it refuses a request before it reads it. */
  readonly refuses?: (request: IncomingMessage) => Answer | undefined;
}

const rpcError = (status: number, code: number, message: string): Answer =>
  json({ jsonrpc: '2.0', error: { code, message }, id: null }, status);

function resultOf(method: string): object | undefined {
  if (method === 'tools/list') return { tools: TOOLS };
  if (method !== 'initialize') return undefined;
  return {
    protocolVersion: '2025-06-18',
    capabilities: { tools: { listChanged: false } },
    serverInfo: { name: 'replayed', version: '1.2.3' },
  };
}

/**
 * An MCP server with the transport Streamable HTTP and sessions.
 * Source: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports
 */
export function mcpServer({
  at = '/mcp',
  streams = false,
  elsewhere = {},
  refuses,
}: McpServer = {}): Handler {
  return async (request, response) => {
    const refused = refuses?.(request);
    if (refused !== undefined) return send(response, refused);
    const [path = ''] = (request.url ?? '').split('?');
    if (path !== at) return send(response, elsewhere[path] ?? NOT_FOUND);
    if (request.method === 'DELETE') return send(response, { status: 200, headers: {}, body: '' });
    if (request.method !== 'POST') return send(response, rpcError(405, -32000, 'Method not allowed.'));
    const { method, id } = JSON.parse(await readText(request)) as { method: string; id?: number };
    const isOpening = method === 'initialize';
    if (!isOpening && request.headers['mcp-session-id'] === undefined)
      return send(response, rpcError(400, -32000, 'Bad Request: No valid session ID provided'));
    if (id === undefined) return send(response, { status: 202, headers: {}, body: '' });
    const result = resultOf(method);
    const message = result
      ? { jsonrpc: '2.0', id, result }
      : { jsonrpc: '2.0', id, error: { code: -32601, message: 'Method not found' } };
    const headers = isOpening ? { 'mcp-session-id': '6f1e0c4d' } : undefined;
    if (!streams) return send(response, json(message, 200, headers));
    send(response, {
      status: 200,
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...headers },
      body: `event: message\ndata: ${JSON.stringify(message)}\n\n`,
    });
  };
}

/**
 * The old transport HTTP with SSE: a stream whose first event names the endpoint.
 * Source: https://modelcontextprotocol.io/specification/2024-11-05/basic/transports
 * @param options its path, by default `/sse`, and whether it ends the stream after the event
 */
export function sseServer(event: string, { at = '/sse', ends = false } = {}): Handler {
  return (request, response) => {
    if (request.url !== at || request.method !== 'GET')
      return send(response, text('Not Found', request.url === at ? 405 : 404));
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(event);
    if (ends) response.end();
  };
}

/**
 * The Python SDK's protection against DNS rebinding, which allows the host of its own URL only.
 * Source: https://github.com/modelcontextprotocol/python-sdk/blob/main/src/mcp/server/transport_security.py
 */
export const pythonHostCheck =
  (isAllowed: (host: string) => boolean) =>
  ({ headers }: IncomingMessage): Answer | undefined =>
    isAllowed(headers.host ?? '') ? undefined : text('Invalid Host header', 421);

/**
 * That of the TypeScript SDK.
 * Source: https://github.com/modelcontextprotocol/typescript-sdk (hostHeaderValidation)
 */
export const typescriptHostCheck =
  (isAllowed: (host: string) => boolean) =>
  ({ headers: { host = '' } }: IncomingMessage): Answer | undefined =>
    isAllowed(host) ? undefined : rpcError(403, -32000, `Invalid Host: ${host.replace(/:\d+$/, '')}`);
