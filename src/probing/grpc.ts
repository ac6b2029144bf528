import type { IncomingHttpHeaders } from 'node:http2';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { type AddressGuard, type ConnectTo, createGuard, openConnection } from './connect.ts';
import { toProbeFailure } from './direct.ts';
import { type Phase, ProbeFailure, type Progress, recordPhase, verdictOnFailure } from './fetch.ts';

/** Maximum bytes to receive, with all frames. */
const MAX_BYTES = 16 * 1024;

/** An empty message: not compressed, and of length 0. */
const NO_FIELDS = Buffer.alloc(5);

/** @see https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
const OK = 0;
const PERMISSION_DENIED = 7;
const UNIMPLEMENTED = 12;
const UNAUTHENTICATED = 16;

/**
 * Calls a unary method with an empty message.
 * @param method service and method, such as `grpc.health.v1.Health/Check`
 * @returns the gRPC status; `undefined` if the server speaks HTTP/2, but not gRPC
 * @throws ProbeFailure without a response; the signal's reason if it was aborted
 */
export type GrpcCall = (
  candidate: Candidate,
  method: string,
  signal: AbortSignal,
  progress?: Progress,
) => Promise<number | undefined>;

/** The status in headers or trailers. A call without a response message has it in its only headers. */
function statusIn(headers: IncomingHttpHeaders): number | undefined {
  const status = headers['grpc-status'];
  return typeof status === 'string' && /^\d{1,2}$/.test(status) ? Number(status) : undefined;
}

/** The route `direct` for gRPC without TLS. */
export function directGrpc(connectTo: ConnectTo, guard: AddressGuard = createGuard()): GrpcCall {
  return async ({ endpoint, service }, method, signal, progress = {}) => {
    // Hardly any cluster has backends that speak it, so it should cost no memory in the others.
    const { connect } = await import('node:http2');
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    let phase: Phase = 'resolving';
    const socket = openConnection(endpoint, {
      connectTo,
      guard,
      isElsewhere: service.type === 'ExternalName',
      budget: MAX_BYTES,
      onPhase: (now) => {
        phase = now;
        recordPhase(progress, now);
      },
      progress,
    });
    const fail = (error: unknown): void =>
      reject(signal.aborted ? signal.reason : toProbeFailure(error, phase));
    const onAbort = (): void => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('error', fail);
    const session = connect(`http://${endpoint.host}:${endpoint.port}`, {
      createConnection: () => socket,
      settings: { enablePush: false },
    });
    session.on('error', fail);
    const call = session.request({
      ':method': 'POST',
      ':path': `/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'dynamic-toolset',
    });
    let status: number | undefined;
    let answered = false;
    const read = (headers: IncomingHttpHeaders): void => {
      answered = true;
      status ??= statusIn(headers);
    };
    call.on('response', read);
    call.on('trailers', read);
    call.on('error', fail);
    call.on('end', () => {
      if (answered) resolve(status);
    });
    call.on('close', () => fail(new ProbeFailure('the connection was closed without an answer', 'protocol')));
    call.resume();
    call.end(NO_FIELDS);
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      session.destroy();
      socket.destroy();
    }
  };
}

/** Whether the server sent something else than HTTP/2. */
const isOtherProtocol = ({ cause }: ProbeFailure): boolean =>
  String((cause as NodeJS.ErrnoException | undefined)?.code).startsWith('ERR_HTTP2');

type Judged = Omit<Verdict, 'steps'>;

/** What the status of a call says about a server of this kind. */
function judge(status: number | undefined, method: string): Judged {
  if (status === OK)
    return { health: 'healthy', authRequired: false, proof: 'proven', reason: `it answered ${method}` };
  if (status === UNAUTHENTICATED || status === PERMISSION_DENIED)
    return {
      health: 'healthy',
      authRequired: true,
      proof: 'unproven',
      reason: `${method} answered status ${status}: alive, requires credentials`,
    };
  if (status === undefined || status === UNIMPLEMENTED)
    return {
      health: 'unhealthy',
      authRequired: false,
      proof: 'contradicted',
      reason: status === undefined ? 'its response is not one of gRPC' : `it has no method ${method}`,
    };
  return {
    health: 'unhealthy',
    authRequired: false,
    proof: 'unproven',
    reason: `${method} answered status ${status}`,
  };
}

const unknown = (reason: string): Judged => ({
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason,
});

/**
 * Probes a candidate by a gRPC method without parameters that only its kind of backend has.
 * @param call `undefined` if the route cannot carry gRPC
 */
export async function probeGrpc(
  candidate: Candidate,
  method: string,
  call: GrpcCall | undefined,
  signal: AbortSignal,
  progress: Progress = {},
): Promise<Verdict> {
  const verdict = (judged: Judged, answered = judged.reason): Verdict => ({
    ...judged,
    steps: [{ asked: method, answered }],
  });
  if (call === undefined)
    return verdict(unknown('this route supports HTTP/1.1 only, so gRPC was not probed'));
  if (candidate.endpoint.scheme === 'https') return verdict(unknown('gRPC over TLS is not probed'));
  try {
    const status = await call(candidate, method, signal, progress);
    return verdict(judge(status, method), status === undefined ? 'no gRPC status' : `status ${status}`);
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
    if (isOtherProtocol(error)) return verdict(judge(undefined, method), error.message);
    return verdict({ ...verdictOnFailure(error), authRequired: false, reason: error.message });
  }
}
