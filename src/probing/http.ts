import type { Candidate, ProbeStep, Verdict } from '../model/discovery.ts';
import type { ProbeSpec, Proof } from '../model/proof.ts';
import { fulfils } from './check.ts';
import { type Answer, BODY_LIMIT, type Fetch, ProbeFailure, startOf, unanswered } from './fetch.ts';

/** A kind of backend as the prober knows it. */
export interface ProbeKind {
  readonly detector: string;
  readonly title: string;
  readonly spec: ProbeSpec;
  /** Its usual base path. */
  readonly path: string;
}

/**
 * Bytes of bodies that one conversation remembers; beyond them only the start of each is read. Many paths are asked, and a
 * server may answer each with as much as is read.
 */
const REMEMBERED = 3 * BODY_LIMIT;
/** Most bytes of each body beyond that. */
const START = 4 * 1024;

/** One conversation with a candidate: each path is asked once, and what came back is remembered. */
class Conversation {
  readonly steps: ProbeStep[] = [];
  readonly #asked = new Map<string, Promise<Answer | ProbeFailure>>();
  readonly #send: (path: string, limit: number) => Promise<Answer>;
  #left = REMEMBERED;

  constructor(candidate: Candidate, fetch: Fetch, signal: AbortSignal) {
    this.#send = (path, limit) => fetch(candidate, { path, limit }, signal);
  }

  get(path: string): Promise<Answer | ProbeFailure> {
    let answer = this.#asked.get(path);
    if (answer === undefined) {
      answer = this.#ask(path);
      this.#asked.set(path, answer);
    }
    return answer;
  }

  async #ask(path: string): Promise<Answer | ProbeFailure> {
    const asked = `GET ${path}`;
    try {
      const answer = await this.#send(path, Math.max(START, Math.min(BODY_LIMIT, this.#left)));
      this.#left -= answer.body.length;
      const body = startOf(answer.body, 60);
      this.steps.push({ asked, answered: `${answer.status}${body === '' ? '' : ` ${body}`}` });
      return answer;
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error;
      this.steps.push({ asked, answered: error.message });
      return error;
    }
  }
}

/** Where a login proxy sends those who are not logged in; an application's own login page is none. */
const LOGIN = /^https?:\/\/.*(login|sign-?_?in|auth|sso|saml)|oauth|openid|saml|sign_in/i;

/** Does an answer ask for credentials: by its status, or by sending the asker to a login page? */
function isAuth(answer: Answer | ProbeFailure): boolean {
  if (!('status' in answer)) return false;
  const { status, headers } = answer;
  if (status === 401 || status === 403) return true;
  return status >= 300 && status < 400 && LOGIN.test(String(headers.location ?? ''));
}

const filled = (path: string, base: string): string => path.replace('{base}', () => base);

type Tried =
  | { readonly proof: Proof; readonly held: true }
  | { readonly held: false; readonly auth: boolean };

/** Tries the ways of a kind to prove itself, one check after the other, until one holds. */
async function tryProofs(talk: Conversation, proofs: readonly Proof[], base: string): Promise<Tried> {
  let auth = false;
  for (const proof of proofs) {
    let held = true;
    for (const check of proof.all) {
      const answer = await talk.get(filled(check.get, proof.path ?? base));
      if (isAuth(answer)) auth = true;
      held = 'status' in answer && fulfils(answer, check);
      if (!held) break;
    }
    if (held) return { proof, held };
  }
  return { held: false, auth };
}

/** The first answer to a health path that is not "not found"; else the last one. */
async function askHealth(
  talk: Conversation,
  paths: readonly string[],
): Promise<{ readonly path: string; readonly answer: Answer | ProbeFailure }> {
  let last: { readonly path: string; readonly answer: Answer | ProbeFailure } | undefined;
  for (const path of paths) {
    last = { path, answer: await talk.get(path) };
    if (!('status' in last.answer) || last.answer.status !== 404) return last;
  }
  if (last === undefined) throw new Error('a detector without a health path');
  return last;
}

/** A backend of another kind than the candidate's, as its answers prove. */
async function provenOther(
  talk: Conversation,
  candidate: Candidate,
  kinds: readonly ProbeKind[],
): Promise<{ readonly kind: ProbeKind; readonly path: string } | undefined> {
  for (const kind of kinds) {
    if (kind.detector === candidate.detector || kind.spec.protocol !== 'http') continue;
    const strong = kind.spec.proofs.filter(({ weak }) => weak !== true);
    const bases = [...new Set([kind.path, candidate.endpoint.path])];
    for (const base of bases) {
      const tried = await tryProofs(talk, strong, base);
      if (tried.held) return { kind, path: tried.proof.path ?? base };
    }
  }
  return undefined;
}

/** Does what came back mean that the other one of http and https is spoken there? */
function wrongScheme(candidate: Candidate, answer: Answer | ProbeFailure): boolean {
  if (candidate.endpoint.scheme === 'https')
    return (
      answer instanceof ProbeFailure &&
      /wrong version number|packet length too long|HTTP response to HTTPS client|does not look like a TLS handshake/i.test(
        answer.message,
      )
    );
  return 'status' in answer && answer.status === 400 && /https|ssl|tls/i.test(answer.body);
}

/**
 * Asks a candidate over HTTP for its health and lets it prove its type; where it does not, looks for what it is. A
 * server that says it wants TLS, or that speaks none, is asked once more in its own way.
 * @param kinds all kinds, to find out what a mislabelled backend is
 */
export async function probeHttp(
  candidate: Candidate,
  kinds: readonly ProbeKind[],
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Verdict> {
  const first = await probeOnce(candidate, kinds, fetch, signal);
  if (!first.otherScheme) return first.verdict;
  const scheme = candidate.endpoint.scheme === 'https' ? 'http' : 'https';
  const flipped: Candidate = { ...candidate, endpoint: { ...candidate.endpoint, scheme } };
  const { verdict } = await probeOnce(flipped, kinds, fetch, signal);
  const steps = [...first.verdict.steps, ...verdict.steps];
  if (verdict.health !== 'healthy') return { ...first.verdict, steps };
  return { ...verdict, scheme, steps, reason: `${verdict.reason} (over ${scheme})` };
}

async function probeOnce(
  candidate: Candidate,
  kinds: readonly ProbeKind[],
  fetch: Fetch,
  signal: AbortSignal,
): Promise<{ readonly verdict: Verdict; readonly otherScheme: boolean }> {
  const talk = new Conversation(candidate, fetch, signal);
  const spec = kinds.find(({ detector }) => detector === candidate.detector)?.spec;
  if (spec === undefined) throw new Error(`no probe for ${candidate.detector}`);
  const base = candidate.endpoint.path;
  const paths =
    candidate.healthPath === undefined
      ? spec.health.map((path) => filled(path, base))
      : [candidate.healthPath];

  // The first question for a proof goes out together with the one for health: most probes then take one round trip.
  const [first] = spec.proofs;
  const [check] = first?.all ?? [];
  if (first !== undefined && check !== undefined)
    void talk.get(filled(check.get, first.path ?? base)).catch(() => {});
  const health = await askHealth(talk, paths);
  // Where the health path gets no answer, no proof is asked for: that would be the same again, several times.
  const proof =
    'status' in health.answer
      ? await tryProofs(talk, spec.proofs, base)
      : ({ held: false, auth: false } as const);
  const otherScheme = !proof.held && wrongScheme(candidate, health.answer);
  const verdict = (rest: Omit<Verdict, 'steps'>): { verdict: Verdict; otherScheme: boolean } => ({
    verdict: { ...rest, steps: talk.steps },
    otherScheme,
  });
  const asked = `GET ${health.path}`;

  if (!('status' in health.answer)) {
    return verdict({
      ...unanswered(health.answer),
      authRequired: false,
      reason: `${asked}: ${health.answer.message}`,
    });
  }
  const { status, body } = health.answer;
  const said = `${asked} answered ${status}`;
  if (proof.held) {
    const moved =
      proof.proof.path === undefined || proof.proof.path === base ? {} : { path: proof.proof.path };
    const auth = isAuth(health.answer);
    const proven = { authRequired: auth, proof: 'proven' as const, ...moved };
    if (status < 500)
      return verdict({
        ...proven,
        health: 'healthy',
        reason: `${said}${auth ? ': alive, requires credentials' : ''}`,
      });
    if (status === 503 && spec.unready === 'alive')
      return verdict({
        ...proven,
        health: 'healthy',
        reason: `alive and answering, not ready yet: ${said} ${startOf(body, 80)}`.trim(),
      });
    return verdict({ ...proven, health: 'unhealthy', reason: `${said} ${startOf(body, 80)}`.trim() });
  }
  if (spec.proofs.length === 0) {
    const auth = isAuth(health.answer);
    return verdict({
      health: (status >= 200 && status < 300) || auth ? 'healthy' : 'unhealthy',
      authRequired: auth,
      proof: 'unproven',
      reason: `${said}${auth ? ': alive, requires credentials' : ''}`,
    });
  }
  // "Not ready" is what several kinds say at the same path: it may still be one of the others.
  const other =
    otherScheme || (status >= 500 && !(status === 503 && spec.unready === 'alive'))
      ? undefined
      : await provenOther(talk, candidate, kinds);
  if (other !== undefined)
    return verdict({
      health: 'healthy',
      authRequired: false,
      proof: 'proven',
      provenAs: other.kind.detector,
      path: other.path,
      reason: `its answers are ${other.kind.title}'s`,
    });
  if (status >= 500)
    return verdict({
      health: 'unhealthy',
      authRequired: false,
      proof: 'unproven',
      reason: `${said} ${startOf(body, 80)}`.trim(),
    });
  if (proof.auth || isAuth(health.answer))
    return verdict({
      health: 'healthy',
      authRequired: true,
      proof: 'unproven',
      reason: `${said}: alive, requires credentials before it shows what it is`,
    });
  return verdict({
    health: 'unhealthy',
    authRequired: false,
    proof: 'contradicted',
    reason: `${said}, and nothing it answers proves what it is`,
  });
}
