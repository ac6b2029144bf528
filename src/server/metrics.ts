import { createServer, type Server, type ServerResponse } from 'node:http';
import { EXIT, UserError } from '../model/exit.ts';

/** What is served: a text and its content type, made for each request. */
export interface Exposition {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Longest time for a request, in milliseconds. */
const LONGEST_REQUEST = 10_000;

async function answer(exposition: Exposition, response: ServerResponse): Promise<void> {
  const text = await exposition.metrics();
  response.writeHead(200, { 'content-type': exposition.contentType }).end(text);
}

/**
 * Serves metrics at `GET /metrics` until the signal is aborted. Whoever reaches the address may read them.
 * @returns once it listens; the port, for when 0 was asked for
 * @throws UserError when the address cannot be listened on
 */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  exposition: Exposition,
  signal: AbortSignal,
): Promise<number> {
  const server: Server = createServer({ requestTimeout: LONGEST_REQUEST }, (request, response) => {
    request.resume();
    const path = request.url?.split('?', 1)[0];
    if (path !== '/metrics') response.writeHead(404).end();
    else if (request.method !== 'GET' && request.method !== 'HEAD')
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else
      answer(exposition, response).catch(() => {
        response.writeHead(500).end();
      });
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen({ port, ...(host === '' ? {} : { host }) }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new UserError(
      `cannot serve metrics on ${host}:${port}: ${(error as Error).message}; choose another address with --metrics-address`,
      EXIT.usage,
      { cause: error },
    );
  }
  signal.addEventListener(
    'abort',
    () => {
      server.close();
      server.closeAllConnections();
    },
    { once: true },
  );
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}
