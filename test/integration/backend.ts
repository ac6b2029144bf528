import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A small local server that plays a backend. */
export interface Backend {
  readonly port: number;
  /** Paths that were asked for, in order. */
  readonly asked: readonly string[];
  /** Changes what it answers from now on. */
  answer(handler: (request: IncomingMessage, response: ServerResponse) => void): void;
}

/** Starts a backend that answers 200 to everything until told otherwise; it ends with the test. */
export async function startBackend(): Promise<Backend> {
  const asked: string[] = [];
  let handler = (_: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(200).end('OK');
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    answer(next) {
      handler = next;
    },
  };
}
