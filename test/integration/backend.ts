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

/** What the backends of these tests answer: a Prometheus and a Loki in one. */
const ANSWERS: Readonly<Record<string, string>> = {
  '/-/healthy': 'Prometheus Server is Healthy.\n',
  '/ready': 'ready\n',
  '/loki/api/v1/status/buildinfo': JSON.stringify({
    version: '3.5.3',
    revision: 'test',
    goVersion: 'go1.24.5',
  }),
};

/** Starts a backend that answers like Prometheus and Loki by default; it ends with the test. */
export async function startBackend(): Promise<Backend> {
  const asked: string[] = [];
  let handler = (request: IncomingMessage, response: ServerResponse): void => {
    const answer = ANSWERS[request.url ?? ''];
    response.writeHead(answer === undefined ? 404 : 200).end(answer);
  };
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
