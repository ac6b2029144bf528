import { expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { rawBackend } from '../../test/fixtures/unit/server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { ProbeFailure } from './fetch.ts';
import { directExchange, probeKafka } from './kafka.ts';

const kafka = candidate(
  service('kafka', { labels: { 'app.kubernetes.io/name': 'kafka' }, ports: ['tcp-client:9092'] }),
);

interface Frame {
  readonly correlation?: number;
  readonly error?: number;
  /** The number of versions that the answer names, where it is not that of those that follow. */
  readonly count?: number;
  readonly length?: number;
}

/** An answer to ApiVersions with the requests of these numbers, each in versions 0 to 3. */
function frame(
  keys: readonly number[],
  { correlation = 0x64746f6f, error = 0, count, length }: Frame = {},
): Buffer {
  const body = Buffer.alloc(10 + 6 * keys.length);
  body.writeInt32BE(correlation, 0);
  body.writeInt16BE(error, 4);
  body.writeInt32BE(count ?? keys.length, 6);
  keys.forEach((key, index) => {
    body.writeInt16BE(key, 10 + 6 * index);
    body.writeInt16BE(3, 14 + 6 * index);
  });
  const prefix = Buffer.alloc(4);
  prefix.writeInt32BE(length ?? body.length);
  return Buffer.concat([prefix, body]);
}

async function verdict(...pieces: readonly Buffer[]) {
  const backend = await rawBackend(async (socket) => {
    for (const piece of pieces) {
      socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.end();
  });
  return probeKafka(kafka, directExchange(backend.standsFor(kafka)), AbortSignal.timeout(5_000));
}

test.each<[string, readonly Buffer[]]>([
  ['its versions', [frame([0, 1, 18])]],
  ['its versions, in pieces', [frame([0, 1, 18]).subarray(0, 15), frame([0, 1, 18]).subarray(15)]],
  ['that it does not know the request, and nothing else', [frame([], { error: 35 })]],
  ['that it does not know the request, and which it knows', [frame([18], { error: 35 })]],
])('a broker that responds with %s is proven', async (_, pieces) => {
  expect(await verdict(...pieces)).toMatchObject({ health: 'healthy', proof: 'proven' });
});

test.each<[string, Buffer]>([
  ['a length beyond all bounds and no versions', frame([], { length: 0x7fffffff })],
  ['a negative length', frame([18], { length: -1 })],
  ['a length that is too short for what follows', frame([0, 18], { length: 16 })],
  ['a length that is longer than what follows', frame([0, 18], { length: 30 })],
  ['more versions than follow', frame([18], { count: 2 })],
  ['fewer versions than follow', frame([18, 19], { count: 1 })],
  ['a negative number of versions', frame([18], { count: -1 })],
  ['no versions', frame([])],
  ['versions without that of ApiVersions', frame([0, 1])],
  ['the number of another question', frame([18], { correlation: 1 })],
  ['another error', frame([18], { error: 2 })],
  ['more after its answer', Buffer.concat([frame([18]), Buffer.from('x')])],
  ['half an answer', frame([18]).subarray(0, 15)],
])('%s is no proof', async (_, answer) => {
  expect(await verdict(answer)).toMatchObject({ health: 'unhealthy', proof: 'contradicted' });
});

test.each([
  ['connection', 'connection refused', 'connection failed: connection refused'],
  ['resolution', 'its name does not resolve (ENOTFOUND)', 'its name does not resolve (ENOTFOUND)'],
  ['refused', 'not probed: it is loopback', 'not probed: it is loopback'],
] as const)('what failed is said once: %s', async (kind, message, reason) => {
  const exchange = () => Promise.reject(new ProbeFailure(message, kind));
  expect(await probeKafka(kafka, exchange, AbortSignal.timeout(5_000))).toMatchObject({ reason });
});
