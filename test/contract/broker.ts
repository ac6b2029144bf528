import { createServer } from 'node:net';
import { listen, type Recorder } from './recorder.ts';

/**
 * Requests that the broker answers, by their numbers, each in these versions.
 * @see https://kafka.apache.org/protocol
 */
const METADATA = 3;
const SASL_HANDSHAKE = 17;
const API_VERSIONS = 18;
const SASL_AUTHENTICATE = 36;
const VERSIONS = [
  [METADATA, 0],
  [SASL_HANDSHAKE, 1],
  [API_VERSIONS, 0],
  [SASL_AUTHENTICATE, 0],
] as const;
const UNSUPPORTED_VERSION = 35;
const PREFIX = 4;

const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const text = (value: string): Buffer => Buffer.concat([int16(value.length), Buffer.from(value)]);

/** What follows the correlation id in the answer to a request; any login is right. */
function answer(key: number, version: number, port: number): Buffer[] {
  switch (key) {
    case API_VERSIONS:
      return [
        int16(version === 0 ? 0 : UNSUPPORTED_VERSION),
        int32(VERSIONS.length),
        ...VERSIONS.flatMap(([request, newest]) => [int16(request), int16(0), int16(newest)]),
      ];
    case SASL_HANDSHAKE:
      return [int16(0), int32(1), text('PLAIN')];
    case SASL_AUTHENTICATE:
      return [int16(0), int16(-1), int32(0)];
    case METADATA:
      return [int32(1), int32(1), text('127.0.0.1'), int32(port), int32(0)];
    default:
      throw new Error(`a broker was sent request ${key}, which it does not offer`);
  }
}

/** A Kafka broker without topics that takes every login, and keeps the texts in the bytes of each connection. */
export async function recordingBroker(): Promise<Recorder> {
  const seen: string[] = [];
  const server = createServer((socket) => {
    const index = seen.push('') - 1;
    let rest = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      seen[index] += chunk.toString('latin1').replaceAll(/[^ -~]+/g, ' ');
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= PREFIX && rest.length >= PREFIX + rest.readInt32BE()) {
        const request = rest.subarray(PREFIX, PREFIX + rest.readInt32BE());
        rest = rest.subarray(PREFIX + request.length);
        const parts = answer(request.readInt16BE(0), request.readInt16BE(2), socket.localPort ?? 0);
        const frame = Buffer.concat([request.subarray(4, 8), ...parts]);
        socket.write(Buffer.concat([int32(frame.length), frame]));
      }
    });
  });
  return { address: `127.0.0.1:${await listen(server)}`, seen, close: () => server.close() };
}
