/**
 * The process that sends requests like a kubelet and a well-behaved client, so that the attacker's work does not delay
 * them.
 */
import { request } from 'node:http';
import type { Asked, Seen, Watched } from './witness.ts';

/** Interval of the probes, and the timeout of the kubelet's probes in the chart, in milliseconds. */
const EACH_MS = 50;
const TIMEOUT_MS = 3_000;

function ask(port: number, path: string, token?: string): Promise<Asked> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<Asked>();
  // A missing or wrong response counts as a timeout.
  const end = (ok: boolean): void => resolve({ ms: ok ? performance.now() - started : TIMEOUT_MS, ok });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const sent = request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
    response.resume();
    response.on('end', () => end(response.statusCode === 200));
    response.on('error', () => end(false));
  });
  sent.setTimeout(TIMEOUT_MS, () => sent.destroy());
  sent.on('error', () => end(false));
  sent.end();
  return promise;
}

const seen = { health: [] as Asked[], client: [] as Asked[], bare: [] as Asked[] };
let ended = false;

/** Sends requests at an interval, without waiting for responses. */
function keepAsking(into: Asked[], question: () => Promise<Asked>, eachMs: number): void {
  const timer = setInterval(() => {
    if (ended) clearInterval(timer);
    else void question().then((asked) => into.push(asked));
  }, eachMs);
}

process.on('disconnect', () => process.exit());
process.on('message', async (message: Watched | 'end') => {
  if (message !== 'end') {
    keepAsking(seen.health, () => ask(message.healthPort, '/health'), EACH_MS);
    keepAsking(seen.bare, () => ask(message.barePort, '/'), EACH_MS);
    keepAsking(seen.client, () => ask(message.port, '/api/v1/toolsets', message.token), 4 * EACH_MS);
    return;
  }
  ended = true;
  setTimeout(() => process.send?.(seen satisfies Seen), TIMEOUT_MS + 100);
});
