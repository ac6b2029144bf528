import type { LookupAddress } from 'node:dns';
import type { Candidate, Fault, Verdict } from '../model/discovery.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { oneLine } from '../model/text.ts';

/** What came back of a request. Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body's text, cut at the limit of bytes. */
  readonly body: string;
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Path with its query, from the root. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Most bytes that are read of the body: `BODY_LIMIT` without it, and never more than `LARGEST_BODY`. */
  readonly limit?: number;
  /**
   * Looks at the body as it arrives, each piece once; reading stops when it says that enough has come. For answers that
   * are streams.
   */
  readonly enough?: (chunk: Buffer) => boolean;
}

/** How far a connection got, in this order. */
const PHASES = ['resolving', 'connecting', 'securing', 'asking'] as const;
export type Phase = (typeof PHASES)[number];

/** What is known so far in one probe, whatever the number of its requests. */
export interface Progress {
  /** The furthest that any of its connections got; undefined where the route does not say. */
  phase?: Phase;
  /** The addresses of the candidate's name, resolved once. */
  addresses?: Promise<readonly LookupAddress[]>;
}

/** Remembers that a connection of a probe is at a phase. */
export function reached(progress: Progress, phase: Phase): void {
  if (progress.phase === undefined || PHASES.indexOf(phase) > PHASES.indexOf(progress.phase))
    progress.phase = phase;
}

/** The fault of what fails at a phase. */
export const FAULT_AT: Readonly<Record<Phase, Fault>> = {
  resolving: 'resolution',
  connecting: 'connection',
  securing: 'tls',
  asking: 'protocol',
};

/**
 * Sends one request to a candidate, by some route.
 * @param progress what the requests of one probe share; without it each is on its own
 * @throws ProbeFailure if no answer came; the signal's reason if it was aborted
 */
export type Fetch = (
  candidate: Candidate,
  ask: Ask,
  signal: AbortSignal,
  progress?: Progress,
) => Promise<Answer>;

/** Most bytes that are read of a body, for a request that names no limit of its own. */
export const BODY_LIMIT = 64 * 1024;

/** Most bytes that any request may have read of a body. */
export const LARGEST_BODY = 256 * 1024;

/** Most bytes that are read of the body of this request's answer. */
export const limitOf = ({ limit = BODY_LIMIT }: Ask): number => Math.min(limit, LARGEST_BODY);

/** Most characters of a body in which secrets are looked for, before the start of it is told. Each answer costs that time. */
const LOOKED_AT = 512;

/** A text up to the last character that ends a word. */
const WHOLE_WORDS = /^[\s\S]*[\s"'`,;{}()<>[\]]/;

/**
 * The start of a body for a person, on one line and without secrets. Where the body is cut, the word that is cut goes: half
 * a secret cannot be known by its form.
 * @param max most characters of it
 */
export function startOf(body: string, max: number): string {
  const start = body.slice(0, LOOKED_AT);
  const whole = start.length === body.length ? start : (WHOLE_WORDS.exec(start)?.[0] ?? '');
  return oneLine(hideSecrets(whole), max);
}

/** No answer came, and why, in words for a person. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  /** What failed; `unreachable`: this route cannot reach it, which says nothing about its health. */
  readonly kind: Fault | 'unreachable';

  constructor(message: string, kind: Fault | 'unreachable', options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** What a verdict says of a request that got no answer. */
export function unanswered({ kind }: ProbeFailure): Pick<Verdict, 'health' | 'proof' | 'fault'> {
  return kind === 'unreachable'
    ? { health: 'unknown', proof: 'unproven' }
    : { health: 'unhealthy', proof: 'unproven', fault: kind };
}
