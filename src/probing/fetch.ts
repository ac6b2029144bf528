import type { LookupAddress } from 'node:dns';
import type { Candidate, Fault, Verdict } from '../model/discovery.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { oneLine } from '../model/text.ts';

/** A response. Header names are in lower case. */
export interface ProbeResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body as text, truncated at the limit. */
  readonly body: string;
  /** The backend got the `Host` name of what forwards the request, which an agent does not use. */
  readonly hasForeignHost?: true;
}

export interface ProbeRequest {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Absolute path with query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Maximum bytes of the response body. Default: `BODY_LIMIT`; never more than `MAX_BODY_LIMIT`. */
  readonly limit?: number;
  /** Called with each chunk of the body. Reading stops when it returns `true`. For responses that are streams. */
  readonly enough?: (chunk: Buffer) => boolean;
  /** Sends the `Host` name of the endpoint through what forwards the request, too. */
  readonly ownHost?: boolean;
}

/** The phases of a connection, in order. */
const PHASES = ['resolving', 'connecting', 'securing', 'requesting'] as const;
export type Phase = (typeof PHASES)[number];

/** What a connection with TLS showed of certificates. */
export type CertificateVerdict = Pick<Verdict, 'certificate' | 'trustedWith' | 'presented'>;

/** State that all requests of one probe share. */
export interface Progress {
  /** The furthest phase of any connection. `undefined` if the route does not report phases. */
  phase?: Phase;
  /** The certificate of the last TLS connection. */
  certificate?: CertificateVerdict;
  /** Bytes of bodies received so far. */
  received?: number;
  /** The resolved addresses of the candidate's host. */
  addresses?: Promise<readonly LookupAddress[]>;
}

/** Records that a connection of a probe reached a phase. */
export function recordPhase(progress: Progress, phase: Phase): void {
  if (progress.phase === undefined || PHASES.indexOf(phase) > PHASES.indexOf(progress.phase))
    progress.phase = phase;
}

/** The fault of a failure, by phase. */
export const FAULT_BY_PHASE: Readonly<Record<Phase, Fault>> = {
  resolving: 'resolution',
  connecting: 'connection',
  securing: 'tls',
  requesting: 'protocol',
};

/**
 * Sends one request to a candidate over a route.
 * @param progress shared by all requests of one probe
 * @throws ProbeFailure without a response; the signal's reason if it was aborted
 */
export type Fetch = (
  candidate: Candidate,
  ask: ProbeRequest,
  signal: AbortSignal,
  progress?: Progress,
) => Promise<ProbeResponse>;

/** Default maximum of bytes to read of a response body. */
export const BODY_LIMIT = 64 * 1024;

/** Upper bound of every request's body limit, in bytes. */
export const MAX_BODY_LIMIT = 256 * 1024;

/** The body limit of a request, in bytes. */
export const bodyLimitOf = ({ limit = BODY_LIMIT }: ProbeRequest): number => Math.min(limit, MAX_BODY_LIMIT);

/** Maximum characters of a body to scan for secrets. Each response costs this time. */
const MAX_SCANNED = 512;

/** Matches a text up to its last word boundary. */
const WHOLE_WORDS = /^[\s\S]*[\s"'`,;{}()<>[\]]/;

/**
 * Returns the start of a body on one line, for messages, with secrets redacted. The last word of a truncated body is
 * dropped, because half a secret cannot be recognized.
 * @param max maximum characters
 */
export function bodySnippet(body: string, max: number): string {
  const start = body.slice(0, MAX_SCANNED);
  const whole = start.length === body.length ? start : (WHOLE_WORDS.exec(start)?.[0] ?? '');
  return oneLine(hideSecrets(whole), max);
}

/** A request without a response. The message says why. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  /** What failed. `unreachable`: this route cannot reach the backend, which says nothing about its health. */
  readonly kind: Fault | 'unreachable';
  /** What to do, if that is known. */
  readonly fix: string | undefined;

  constructor(
    message: string,
    kind: Fault | 'unreachable',
    { fix, ...options }: ErrorOptions & { readonly fix?: string } = {},
  ) {
    super(message, options);
    this.kind = kind;
    this.fix = fix;
  }
}

/** The part of a verdict that follows from a request without a response. */
export function verdictOnFailure({
  kind,
  fix,
}: ProbeFailure): Pick<Verdict, 'health' | 'proof' | 'fault' | 'fix'> {
  return kind === 'unreachable'
    ? { health: 'unknown', proof: 'unproven' }
    : { health: 'unhealthy', proof: 'unproven', fault: kind, ...(fix === undefined ? {} : { fix }) };
}
