import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { POD_ADDRESS } from './namespace.ts';

/** One request that reached a backend. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Names of its headers, in lower case. */
  readonly headers: readonly string[];
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The first byte of a TLS handshake. */
const HANDSHAKE = 0x16;
/** What Go's servers write to those who begin without one. */
const NOT_TLS = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/** A backend behind the API server's proxy. With a certificate it speaks TLS, and tells those who do not, as Go does. */
export class Backend {
  /** What it was asked, in order. */
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(handler: Handler, tls?: { readonly certPem: string; readonly keyPem: string }) {
    const listener: Handler = (request, response) => {
      const { method = '', url = '', headers } = request;
      this.asked.push({ method, path: url, headers: Object.keys(headers) });
      handler(request, response);
    };
    if (tls === undefined) {
      this.#server = createServer(listener);
    } else {
      const secure = createTlsServer({ cert: tls.certPem, key: tls.keyPem }, listener);
      this.#server = createTcpServer((socket) => {
        socket.once('data', (start: Buffer) => {
          if (start[0] !== HANDSHAKE) return void socket.end(NOT_TLS);
          socket.pause().unshift(start);
          secure.emit('connection', socket);
        });
      });
    }
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {}));
    });
  }

  /** Starts to listen. @returns its port */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, POD_ADDRESS, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Answers by path, any method; other paths get a plain 404 as Go's servers give it. */
export function answering(
  answers: Readonly<Record<string, string | object>>,
  headers: Readonly<Record<string, string>> = {},
): Handler {
  return ({ url = '/' }, response) => {
    const answer = answers[url];
    if (answer === undefined) plain(response, 404, '404 page not found\n');
    else if (typeof answer === 'string') plain(response, 200, answer, headers);
    else
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(answer));
  };
}

/** Redirects from some paths, to what is said of the host of the request. */
export function redirecting(
  from: Readonly<Record<string, (host: string) => string>>,
  otherwise: Handler,
  status = 302,
): Handler {
  return (request, response) => {
    const { url = '/', headers } = request;
    const to = from[url];
    if (to === undefined) return otherwise(request, response);
    plain(response, status, '', { location: to(headers.host ?? '') });
  };
}

export function plain(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(text);
}

/** Writes for as long as somebody reads. */
export const endless: Handler = (_request, response) => {
  const more = (): void => {
    while (!response.destroyed && response.write('never the end of it\n'.repeat(500)));
  };
  response.writeHead(200, { 'content-type': 'text/plain' }).on('drain', more);
  more();
};

/** A session that an MCP server opened, and whether it was ended. */
export interface Sessions {
  opened: number;
  ended: number;
}

/** An MCP server of the era with sessions, as the servers of its SDKs answer. */
export function mcpServer(sessions: Sessions, at = '/mcp'): Handler {
  const open = new Set<string>();
  const json = (response: ServerResponse, status: number, body: object, headers = {}): void =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(body));
  const refuse = (response: ServerResponse, status: number, message: string): void =>
    json(response, status, { jsonrpc: '2.0', error: { code: -32000, message }, id: null });
  return async (request, response) => {
    if (request.url !== at) return plain(response, 404, 'Not Found');
    const session = String(request.headers['mcp-session-id'] ?? '');
    if (request.method === 'DELETE') {
      if (!open.delete(session)) return refuse(response, 404, 'Session not found');
      sessions.ended += 1;
      return void response.writeHead(200).end();
    }
    if (request.method !== 'POST') return refuse(response, 405, 'Method not allowed.');
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    const { method, id } = JSON.parse(body) as { readonly method: string; readonly id: number };
    if (method !== 'initialize') return refuse(response, 400, 'Bad Request: Server not initialized');
    sessions.opened += 1;
    const name = `session-${sessions.opened}`;
    open.add(name);
    json(
      response,
      200,
      {
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: { listChanged: true } },
          serverInfo: { name: 'test-server', version: '1.0.0' },
        },
        jsonrpc: '2.0',
        id,
      },
      { 'mcp-session-id': name },
    );
  };
}
