import type { Candidate, Verdict } from '../model/discovery.ts';
import { type ConnectTo, createGuard, type Guard, openConnection } from './connect.ts';
import { failureOf } from './direct.ts';
import { FAULT_AT, type Phase, ProbeFailure, type Progress, reached, unanswered } from './fetch.ts';

const API_VERSIONS = 18;
const CORRELATION = 0x64746f6f;
/** "Unsupported version": an answer as good as any, since only a broker gives it. */
const UNSUPPORTED_VERSION = 35;

/** Bytes of the length in front of each answer, of what follows it before the list of versions, and of one version. */
const PREFIX = 4;
const HEAD = 4 + 2 + 4;
const VERSION = 6;
/** Most versions in an answer; brokers have about a hundred. */
const VERSIONS = 1000;
const LONGEST_FRAME = HEAD + VERSIONS * VERSION;

/**
 * Connects, sends bytes, and gives what comes back until `enough` says so, or the most that is read of it.
 * @throws ProbeFailure if there is no connection; the signal's reason if it was aborted
 */
export type Exchange = (
  candidate: Candidate,
  bytes: Buffer,
  enough: (answer: Buffer) => boolean,
  signal: AbortSignal,
  progress?: Progress,
) => Promise<Buffer>;

/** The route `direct` for protocols that are not HTTP. An answer that ends early is given as far as it came. */
export function directExchange(connectTo: ConnectTo, guard: Guard = createGuard()): Exchange {
  return ({ endpoint }, bytes, enough, signal, progress = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    let phase: Phase = 'resolving';
    let answer = Buffer.alloc(0);
    try {
      signal.throwIfAborted();
      const at = (now: Phase): void => {
        phase = now;
        reached(progress, now);
      };
      const socket = openConnection(endpoint, connectTo, guard, 2 * LONGEST_FRAME, at, progress);
      const finish = (): void => {
        signal.removeEventListener('abort', finish);
        socket.destroy();
        // One that takes the connection and then is silent for good is not a broker that wants TLS: that one hangs up.
        if (signal.aborted) reject(signal.reason);
        else if (phase === 'asking') resolve(answer);
        else reject(new ProbeFailure('no connection', FAULT_AT[phase]));
      };
      signal.addEventListener('abort', finish, { once: true });
      socket.on('data', (chunk: Buffer) => {
        answer = Buffer.concat([answer, chunk]);
        if (enough(answer) || answer.length >= PREFIX + LONGEST_FRAME) finish();
      });
      socket.on('error', (error) => {
        if (phase !== 'asking') reject(failureOf(error, phase));
        finish();
      });
      socket.on('close', finish);
      socket.write(bytes);
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

/** Is all of an answer there, or is it none that we would read? */
function isWhole(answer: Buffer): boolean {
  if (answer.length < PREFIX) return false;
  const length = answer.readInt32BE(0);
  return length < HEAD || length > LONGEST_FRAME || answer.length >= PREFIX + length;
}

/**
 * Is this the whole answer of a broker: one frame that its length fits exactly, our correlation id, and a list of versions
 * that has ApiVersions itself in it, or the word that ours is not supported?
 */
function isBrokersAnswer(answer: Buffer): boolean {
  if (answer.length < PREFIX + HEAD || answer.length !== PREFIX + answer.readInt32BE(0)) return false;
  if (answer.readInt32BE(PREFIX) !== CORRELATION) return false;
  const error = answer.readInt16BE(PREFIX + 4);
  const count = answer.readInt32BE(PREFIX + 6);
  if (answer.length !== PREFIX + HEAD + count * VERSION) return false;
  const versions = Array.from({ length: count }, (_, index) => {
    const start = PREFIX + HEAD + index * VERSION;
    return {
      key: answer.readInt16BE(start),
      from: answer.readInt16BE(start + 2),
      to: answer.readInt16BE(start + 4),
    };
  });
  if (versions.some(({ key, from, to }) => key < 0 || from < 0 || to < from)) return false;
  return error === UNSUPPORTED_VERSION || (error === 0 && versions.some(({ key }) => key === API_VERSIONS));
}

/** Asks a candidate in Kafka's protocol which requests it understands; a broker that wants TLS only takes the connection. */
export async function probeKafka(
  candidate: Candidate,
  exchange: Exchange | undefined,
  signal: AbortSignal,
  progress: Progress = {},
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
    const answer = await exchange(candidate, apiVersionsRequest(), isWhole, signal, progress);
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
      { health: 'unhealthy', proof: 'contradicted', reason: "its answer to ApiVersions is not a broker's" },
      answered,
    );
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    return verdict(
      { ...unanswered(error), reason: `it could not be connected to: ${error.message}` },
      error.message,
    );
  }
}
