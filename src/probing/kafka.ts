import { countOf } from '../model/count-of.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { type AddressGuard, type ConnectTo, createGuard, openConnection } from './connect.ts';
import { toProbeFailure } from './direct.ts';
import {
  FAULT_BY_PHASE,
  type Phase,
  ProbeFailure,
  type Progress,
  recordPhase,
  verdictOnFailure,
} from './fetch.ts';

const API_VERSIONS = 18;
const CORRELATION = 0x64746f6f;
/** "Unsupported version". This error proves a broker too, because only brokers return it. */
const UNSUPPORTED_VERSION = 35;

/** Bytes of the length prefix, of the header before the list of versions, and of one version. */
const PREFIX_BYTES = 4;
const HEADER_BYTES = 4 + 2 + 4;
const VERSION_BYTES = 6;
/** Maximum versions in a response. Brokers return about a hundred. */
const MAX_VERSIONS = 1000;
const MAX_FRAME_BYTES = HEADER_BYTES + MAX_VERSIONS * VERSION_BYTES;

/**
 * Connects, sends bytes, and returns the response.
 * @param enough ends reading when it returns `true`
 * @throws ProbeFailure without a connection; the signal's reason if it was aborted
 */
export type TcpExchange = (
  candidate: Candidate,
  bytes: Buffer,
  enough: (answer: Buffer) => boolean,
  signal: AbortSignal,
  progress?: Progress,
) => Promise<Buffer>;

/** The route `direct` for protocols other than HTTP. An incomplete response is returned as it is. */
export function directExchange(connectTo: ConnectTo, guard: AddressGuard = createGuard()): TcpExchange {
  return ({ endpoint, service }, bytes, enough, signal, progress = {}) => {
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    let phase: Phase = 'resolving';
    let answer = Buffer.alloc(0);
    try {
      signal.throwIfAborted();
      const at = (now: Phase): void => {
        phase = now;
        recordPhase(progress, now);
      };
      const socket = openConnection(endpoint, {
        connectTo,
        guard,
        isElsewhere: service.type === 'ExternalName',
        budget: 2 * MAX_FRAME_BYTES,
        onPhase: at,
        progress,
      });
      const finish = (): void => {
        signal.removeEventListener('abort', finish);
        socket.destroy();
        // A silent server is not a broker that requires TLS, because such a broker closes the connection.
        if (signal.aborted) reject(signal.reason);
        else if (phase === 'requesting') resolve(answer);
        else reject(new ProbeFailure('no connection', FAULT_BY_PHASE[phase]));
      };
      signal.addEventListener('abort', finish, { once: true });
      socket.on('data', (chunk: Buffer) => {
        answer = Buffer.concat([answer, chunk]);
        if (enough(answer) || answer.length >= PREFIX_BYTES + MAX_FRAME_BYTES) finish();
      });
      socket.on('error', (error) => {
        if (phase !== 'requesting') reject(toProbeFailure(error, phase));
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

/** Whether a response is complete, or too long or short to be one. */
function isComplete(answer: Buffer): boolean {
  if (answer.length < PREFIX_BYTES) return false;
  const length = answer.readInt32BE(0);
  return length < HEADER_BYTES || length > MAX_FRAME_BYTES || answer.length >= PREFIX_BYTES + length;
}

/**
 * Whether this is the complete response of a broker: exactly one frame, with our correlation id, and a list of versions
 * that includes ApiVersions, or the error that our version is not supported.
 */
function isBrokerResponse(answer: Buffer): boolean {
  if (answer.length < PREFIX_BYTES + HEADER_BYTES || answer.length !== PREFIX_BYTES + answer.readInt32BE(0))
    return false;
  if (answer.readInt32BE(PREFIX_BYTES) !== CORRELATION) return false;
  const error = answer.readInt16BE(PREFIX_BYTES + 4);
  const count = answer.readInt32BE(PREFIX_BYTES + 6);
  if (answer.length !== PREFIX_BYTES + HEADER_BYTES + count * VERSION_BYTES) return false;
  const versions = Array.from({ length: count }, (_, index) => {
    const start = PREFIX_BYTES + HEADER_BYTES + index * VERSION_BYTES;
    return {
      key: answer.readInt16BE(start),
      from: answer.readInt16BE(start + 2),
      to: answer.readInt16BE(start + 4),
    };
  });
  if (versions.some(({ key, from, to }) => key < 0 || from < 0 || to < from)) return false;
  return error === UNSUPPORTED_VERSION || (error === 0 && versions.some(({ key }) => key === API_VERSIONS));
}

/** Probes a candidate with Kafka's ApiVersions request. A broker that requires TLS only accepts the connection. */
export async function probeKafka(
  candidate: Candidate,
  exchange: TcpExchange | undefined,
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
    const reason = 'this route supports HTTP only, so it was not probed';
    return verdict({ health: 'unknown', proof: 'unproven', reason }, reason);
  }
  try {
    const answer = await exchange(candidate, apiVersionsRequest(), isComplete, signal, progress);
    const answered = answer.length === 0 ? 'nothing' : countOf(answer.length, 'byte');
    if (isBrokerResponse(answer))
      return verdict(
        { health: 'healthy', proof: 'proven', reason: 'it answered ApiVersions as a broker does' },
        answered,
      );
    // No response, or a TLS alert, with which a TLS server rejects plain text.
    if (answer.length === 0 || (answer[0] === 0x15 && answer[1] === 0x03))
      return verdict(
        {
          health: 'healthy',
          proof: 'unproven',
          reason: 'it accepted the connection but did not answer ApiVersions; it may require TLS',
        },
        answered,
      );
    return verdict(
      { health: 'unhealthy', proof: 'contradicted', reason: "its answer to ApiVersions is not a broker's" },
      answered,
    );
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    // Without an address, nothing was connected to.
    const isConnecting = error.kind !== 'resolution' && error.kind !== 'refused';
    const reason = isConnecting ? `connection failed: ${error.message}` : error.message;
    return verdict({ ...verdictOnFailure(error), reason }, error.message);
  }
}
