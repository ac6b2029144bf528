import { connect } from 'node:net';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { type ConnectTo, connectionOf, failureOf } from './direct.ts';
import { ProbeFailure } from './fetch.ts';

const API_VERSIONS = 18;
const CORRELATION = 0x64746f6f;
/** "Unsupported version": an answer as good as any, since only a broker gives it. */
const UNSUPPORTED_VERSION = 35;

/**
 * Connects, sends bytes, and gives what comes back until `enough` says so.
 * @throws ProbeFailure if there is no connection; the signal's reason if it was aborted
 */
export type Exchange = (
  candidate: Candidate,
  bytes: Buffer,
  enough: (answer: Buffer) => boolean,
  signal: AbortSignal,
) => Promise<Buffer>;

/** Most bytes that are read of an answer. */
const ANSWER_LIMIT = 64 * 1024;

/** The route `direct` for protocols that are not HTTP. An answer that ends early is given as far as it came. */
export function directExchange(connectTo: ConnectTo): Exchange {
  return ({ endpoint }, bytes, enough, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    let connected = false;
    let answer = Buffer.alloc(0);
    let finish = (): void => {};
    try {
      const socket = connect(connectionOf(endpoint, connectTo));
      const onAbort = (): void => finish();
      finish = () => {
        signal.removeEventListener('abort', onAbort);
        socket.destroy();
        // One that takes the connection and then is silent for good is not a broker that wants TLS: that one hangs up.
        if (signal.aborted) reject(signal.reason);
        else if (connected) resolve(answer);
        else reject(new ProbeFailure('no connection', 'dead'));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('connect', () => {
        connected = true;
        socket.write(bytes);
      });
      socket.on('data', (chunk: Buffer) => {
        answer = Buffer.concat([answer, chunk]);
        if (enough(answer) || answer.length >= ANSWER_LIMIT) finish();
      });
      socket.on('error', (error) => {
        if (!connected) reject(failureOf(error));
        finish();
      });
      socket.on('close', finish);
    } catch (error) {
      reject(error);
    }
    return promise;
  };
}

/**
 * The ApiVersions request, version 0: size, API key, API version, correlation id, client id.
 * @see https://kafka.apache.org/protocol#The_Messages_ApiVersions
 */
function apiVersionsRequest(): Buffer {
  const client = Buffer.from('dynamic-toolset');
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(API_VERSIONS, 4);
  request.writeInt16BE(0, 6);
  request.writeInt32BE(CORRELATION, 8);
  request.writeInt16BE(client.length, 12);
  client.copy(request, 14);
  return request;
}

/** Is this the answer of a broker: our correlation id, and a list of versions or the word that ours is not supported? */
function isBrokersAnswer(answer: Buffer): boolean {
  if (answer.length < 14 || answer.readInt32BE(0) < 10 || answer.readInt32BE(4) !== CORRELATION) return false;
  const error = answer.readInt16BE(8);
  const count = answer.readInt32BE(10);
  return (error === 0 || error === UNSUPPORTED_VERSION) && count >= 0 && count < 1000;
}

/** Asks a candidate in Kafka's protocol which requests it understands; a broker that wants TLS only takes the connection. */
export async function probeKafka(
  candidate: Candidate,
  exchange: Exchange | undefined,
  signal: AbortSignal,
): Promise<Verdict> {
  const asked = 'ApiVersions';
  const verdict = (
    rest: Pick<Verdict, 'health' | 'proof' | 'fault' | 'reason'>,
    answered: string,
  ): Verdict => ({
    authRequired: false,
    ...rest,
    steps: [{ asked, answered }],
  });
  if (exchange === undefined) {
    const reason = 'this route speaks HTTP only, so it was not asked';
    return verdict({ health: 'unknown', proof: 'unproven', reason }, reason);
  }
  try {
    const answer = await exchange(candidate, apiVersionsRequest(), (got) => got.length >= 14, signal);
    const answered = answer.length === 0 ? 'nothing' : `${answer.length} bytes`;
    if (isBrokersAnswer(answer))
      return verdict(
        { health: 'healthy', proof: 'proven', reason: 'it answered ApiVersions as a broker does' },
        answered,
      );
    // Nothing, or the alert with which TLS ends what is not TLS.
    if (answer.length === 0 || (answer[0] === 0x15 && answer[1] === 0x03))
      return verdict(
        {
          health: 'healthy',
          proof: 'unproven',
          reason: 'it took the connection and did not answer ApiVersions; it may want TLS',
        },
        answered,
      );
    return verdict(
      { health: 'unhealthy', proof: 'contradicted', reason: "its answer to ApiVersions is no broker's" },
      answered,
    );
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    return verdict(
      {
        health: error.kind === 'unreachable' ? 'unknown' : 'unhealthy',
        proof: 'unproven',
        fault: 'connection',
        reason: `it could not be connected to: ${error.message}`,
      },
      error.message,
    );
  }
}
