import { apiElsewhere } from '../model/api-elsewhere.ts';
import type { Certainty } from '../model/detector.ts';
import type { Candidate, Endpoint, ProbeStep, Verdict } from '../model/discovery.ts';
import type { ProbeSpec, Proof } from '../model/proof.ts';
import { basePathsIn, type Exchange } from './base-paths.ts';
import { matchesCheck } from './check.ts';
import {
  BODY_LIMIT,
  bodySnippet,
  type Fetch,
  ProbeFailure,
  type ProbeResponse,
  verdictOnFailure,
} from './fetch.ts';
import { answerText, httpsPort, leadsToItself, leadsToOwnLogin } from './redirect.ts';

/** How to probe a kind of backend. */
export interface ProbeKind {
  readonly detector: string;
  readonly title: string;
  readonly spec: ProbeSpec;
  /** The usual base path. */
  readonly path: string;
}

/**
 * Maximum bytes of bodies to cache per probe. Beyond it, only the start of each body is read, because a probe requests
 * many paths, and a server may return the maximum for each.
 */
const MAX_CACHED_BYTES = 3 * BODY_LIMIT;
/** Maximum bytes of each body beyond that. */
const MAX_UNCACHED_BYTES = 4 * 1024;

/** Sends the requests of one probe. Each path is requested once, and its response is cached. */
class CachedProbeClient {
  readonly steps: ProbeStep[] = [];
  readonly endpoint: Endpoint;
  readonly #responses = new Map<string, Promise<ProbeResponse | ProbeFailure>>();
  readonly #send: (path: string, limit: number) => Promise<ProbeResponse>;
  readonly #prefix: string;
  #left = MAX_CACHED_BYTES;

  /** @param prefix what to put before each path */
  constructor(candidate: Candidate, fetch: Fetch, signal: AbortSignal, prefix: string) {
    this.endpoint = candidate.endpoint;
    this.#send = (path, limit) => fetch(candidate, { path, limit }, signal);
    this.#prefix = prefix;
  }

  get(path: string): Promise<ProbeResponse | ProbeFailure> {
    let answer = this.#responses.get(path);
    if (answer === undefined) {
      answer = this.#request(path);
      this.#responses.set(path, answer);
    }
    return answer;
  }

  /** The responses so far, in the order of the requests. */
  async exchanges(): Promise<readonly Exchange[]> {
    const all = [...this.#responses].map(async ([path, response]) => ({ path, answer: await response }));
    return (await Promise.all(all)).filter((each): each is Exchange => 'status' in each.answer);
  }

  async #request(short: string): Promise<ProbeResponse | ProbeFailure> {
    const path = `${this.#prefix}${short}`;
    const asked = `GET ${path}`;
    try {
      const answer = await this.#send(path, Math.max(MAX_UNCACHED_BYTES, Math.min(BODY_LIMIT, this.#left)));
      this.#left -= answer.body.length;
      this.steps.push({ asked, answered: answerText(answer, path, this.endpoint) });
      return answer;
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error;
      this.steps.push({ asked, answered: error.message });
      return error;
    }
  }
}

/** Matches redirects of login proxies, but not an application's own login page, to which it may redirect only browsers. */
const LOGIN_REDIRECT = /^https?:\/\/.*(login|sign-?_?in|auth|sso|saml)|oauth|openid|saml|sign_in/i;

/** Whether a response requires credentials, by its status or by a redirect to a login page. */
function requiresAuth(answer: ProbeResponse | ProbeFailure): boolean {
  if (!('status' in answer)) return false;
  const { status, headers } = answer;
  if (status === 401 || status === 403) return true;
  return status >= 300 && status < 400 && LOGIN_REDIRECT.test(String(headers.location ?? ''));
}

const fillBase = (path: string, base: string): string => path.replace('{base}', () => base);

const isOwnLogin = (
  { endpoint }: CachedProbeClient,
  path: string,
  answer: ProbeResponse | ProbeFailure,
): boolean => 'status' in answer && leadsToOwnLogin(answer, path, endpoint);

type ProofResult =
  | { readonly proof: Proof; readonly held: true }
  | {
      readonly held: false;
      readonly auth: boolean;
      /** A request of the API, and not of its start page, is redirected to a login page of the server itself. */
      readonly ownLogin: boolean;
    };

/** Runs the proofs of a kind in order, until one holds. */
async function tryProofs(
  client: CachedProbeClient,
  proofs: readonly Proof[],
  base: string,
): Promise<ProofResult> {
  let auth = false;
  let ownLogin = false;
  for (const proof of proofs) {
    let held = true;
    for (const check of proof.all) {
      const path = fillBase(check.get, proof.path ?? base);
      const answer = await client.get(path);
      if (requiresAuth(answer)) auth = true;
      if (!path.endsWith('/') && isOwnLogin(client, path, answer)) ownLogin = true;
      held = 'status' in answer && matchesCheck(answer, check);
      if (!held) break;
    }
    if (held) return { proof, held };
  }
  return { held: false, auth, ownLogin };
}

/** Whether a backend rejects requests without a tenant. Empty if its type has no tenants, or the response does not tell. */
async function checkTenant(
  client: CachedProbeClient,
  { tenant }: ProbeSpec,
  base: string,
): Promise<Pick<Verdict, 'tenantRequired'>> {
  if (tenant === undefined) return {};
  const answer = await client.get(fillBase(tenant.required.get, base));
  if (!('status' in answer) || answer.status >= 500) return {};
  return { tenantRequired: matchesCheck(answer, tenant.required) };
}

/** Whether a response only lacks a tenant, which is no credential. */
const lacksTenant = (answer: ProbeResponse, { tenant }: ProbeSpec): boolean =>
  tenant !== undefined && matchesCheck(answer, tenant.required);

/** Requests the health paths in order, until one is not "not found". Returns the last response. */
async function checkHealth(client: CachedProbeClient, paths: readonly string[]): Promise<HealthAnswer> {
  let last: HealthAnswer | undefined;
  for (const path of paths) {
    last = { path, answer: await client.get(path) };
    if (!('status' in last.answer) || last.answer.status !== 404) return last;
  }
  if (last === undefined) throw new Error('a detector without a health path');
  return last;
}

/** Finds another kind of backend that the responses prove. */
async function findProvenKind(
  client: CachedProbeClient,
  candidate: Candidate,
  kinds: readonly ProbeKind[],
): Promise<{ readonly kind: ProbeKind; readonly path: string } | undefined> {
  for (const kind of kinds) {
    if (kind.detector === candidate.detector || kind.spec.protocol !== 'http') continue;
    const strong = kind.spec.proofs.filter(({ weak }) => weak !== true);
    const bases = [...new Set([kind.path, candidate.endpoint.path])];
    for (const base of bases) {
      const tried = await tryProofs(client, strong, base);
      if (tried.held) return { kind, path: tried.proof.path ?? base };
    }
  }
  return undefined;
}

/** A response to the health check, and the path of the request. */
interface HealthAnswer {
  readonly path: string;
  readonly answer: ProbeResponse | ProbeFailure;
}

/** That a backend redirects to itself over https, as the end of a sentence. Empty if it does not. */
function wantsHttps({ endpoint }: Candidate, { path, answer }: HealthAnswer): string {
  const port = 'status' in answer ? httpsPort(answer, path, endpoint) : undefined;
  if (port === undefined) return '';
  return `: it wants https${port === endpoint.port ? '' : ` at port ${port}`}`;
}

/** Whether the response shows that the backend uses the other of http and https. */
function isWrongScheme(candidate: Candidate, { path, answer }: HealthAnswer): boolean {
  if (candidate.endpoint.scheme === 'https')
    return (
      answer instanceof ProbeFailure &&
      /wrong version number|packet length too long|HTTP response to HTTPS client|does not look like a TLS handshake/i.test(
        answer.message,
      )
    );
  if (!('status' in answer)) return false;
  const { endpoint } = candidate;
  if (httpsPort(answer, path, endpoint) === endpoint.port || leadsToItself(answer, path, endpoint))
    return true;
  return answer.status === 400 && /https|ssl|tls/i.test(answer.body);
}

/** Signals that state the type, unlike a name or a port. */
const SURE = new Set<Certainty>(['annotation', 'operator', 'component', 'recommended', 'label']);

/** A verdict that is still open. */
interface Probed {
  readonly verdict: Verdict;
  /** The responses show the wrong scheme. */
  readonly otherScheme?: boolean;
  /** The API is elsewhere on the server: the base paths to try. */
  readonly bases?: readonly string[];
  /** The server has nothing at any path that was requested, so it is unknown what it is. */
  readonly isBlank?: boolean;
}

/**
 * Probes a candidate over HTTP: its health, and proof of its type. If the type is not proven, tries the other types, and then
 * base paths that the server names. If the response shows the wrong scheme, probes once more with the other one.
 * @param kinds all kinds, to recognize a mislabelled backend
 * @param known called with what is known before base paths are tried; it counts if the probe times out
 */
export async function probeHttp(
  candidate: Candidate,
  kinds: readonly ProbeKind[],
  fetch: Fetch,
  signal: AbortSignal,
  known: (verdict: Verdict) => void = () => {},
): Promise<Verdict> {
  const first = await probeOnce(candidate, kinds, fetch, signal);
  if (first.bases !== undefined) known(first.verdict);
  if (first.otherScheme !== true) return probeBelow(first, candidate, kinds, fetch, signal);
  const scheme = candidate.endpoint.scheme === 'https' ? 'http' : 'https';
  const flipped: Candidate = { ...candidate, endpoint: { ...candidate.endpoint, scheme } };
  const second = await probeOnce(flipped, kinds, fetch, signal);
  const verdict = await probeBelow(second, flipped, kinds, fetch, signal);
  const steps = [...first.verdict.steps, ...verdict.steps];
  if (verdict.health !== 'healthy') return { ...first.verdict, steps };
  return { ...verdict, scheme, steps, reason: `${verdict.reason} (over ${scheme})` };
}

/**
 * Probes once more below each base path that the server named, if its type is not proven. A backend that is surely of its type
 * and does not say where its API is stays unproven: a probe must not make it worse.
 */
async function probeBelow(
  { verdict, bases, isBlank = false }: Probed,
  candidate: Candidate,
  kinds: readonly ProbeKind[],
  fetch: Fetch,
  signal: AbortSignal,
): Promise<Verdict> {
  if (bases === undefined) return verdict;
  let { steps } = verdict;
  for (const base of bases) {
    const { verdict: below } = await probeOnce(candidate, kinds, fetch, signal, base);
    steps = [...steps, ...below.steps];
    if (below.proof !== 'proven') continue;
    return { ...below, steps, path: `${base}${below.path ?? candidate.endpoint.path}` };
  }
  if (!isBlank || !SURE.has(candidate.certainty)) return { ...verdict, steps };
  return {
    ...verdict,
    steps,
    health: 'unknown',
    proof: 'unproven',
    fix: apiElsewhere(candidate),
  };
}

async function probeOnce(
  candidate: Candidate,
  kinds: readonly ProbeKind[],
  fetch: Fetch,
  signal: AbortSignal,
  prefix = '',
): Promise<Probed> {
  const client = new CachedProbeClient(candidate, fetch, signal, prefix);
  const spec = kinds.find(({ detector }) => detector === candidate.detector)?.spec;
  if (spec === undefined) throw new Error(`no probe for ${candidate.detector}`);
  const base = candidate.endpoint.path;
  const paths =
    candidate.healthPath === undefined
      ? spec.health.map((path) => fillBase(path, base))
      : [candidate.healthPath];

  // The first proof is requested in parallel with health, so that most probes take one round trip.
  const [first] = spec.proofs;
  const [check] = first?.all ?? [];
  if (first !== undefined && check !== undefined)
    void client.get(fillBase(check.get, first.path ?? base)).catch(() => {});
  const health = await checkHealth(client, paths);
  // Without a response to the health path, proofs are skipped, because they would fail in the same way.
  const proof =
    'status' in health.answer
      ? await tryProofs(client, spec.proofs, base)
      : ({ held: false, auth: false, ownLogin: false } as const);
  const otherScheme = !proof.held && isWrongScheme(candidate, health);
  const verdict = (rest: Omit<Verdict, 'steps'>): Probed => ({
    verdict: { ...rest, steps: client.steps },
    otherScheme,
  });
  const asked = `GET ${prefix}${health.path}`;

  if (!('status' in health.answer)) {
    return verdict({
      ...verdictOnFailure(health.answer),
      authRequired: false,
      reason: `${asked}: ${health.answer.message}`,
    });
  }
  const { status, body } = health.answer;
  const said = `${asked} answered ${status}${wantsHttps(candidate, health)}`;
  if (proof.held) {
    const moved =
      proof.proof.path === undefined || proof.proof.path === base ? {} : { path: proof.proof.path };
    const auth = requiresAuth(health.answer) && !lacksTenant(health.answer, spec);
    const tenant = auth ? {} : await checkTenant(client, spec, proof.proof.path ?? base);
    const proven = { authRequired: auth, ...tenant, proof: 'proven' as const, ...moved };
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
        reason: `alive and answering, not ready yet: ${said} ${bodySnippet(body, 80)}`.trim(),
      });
    return verdict({ ...proven, health: 'unhealthy', reason: `${said} ${bodySnippet(body, 80)}`.trim() });
  }
  if (spec.proofs.length === 0) {
    const auth = requiresAuth(health.answer) || isOwnLogin(client, health.path, health.answer);
    return verdict({
      health: (status >= 200 && status < 300) || auth ? 'healthy' : 'unhealthy',
      authRequired: auth,
      proof: 'unproven',
      reason: `${said}${auth ? ': alive, requires credentials' : ''}`,
    });
  }
  // Several kinds answer "not ready" at the same path, so it may still be one of the others.
  const other =
    prefix !== '' || otherScheme || (status >= 500 && !(status === 503 && spec.unready === 'alive'))
      ? undefined
      : await findProvenKind(client, candidate, kinds);
  if (other !== undefined)
    return verdict({
      health: 'healthy',
      authRequired: false,
      ...(await checkTenant(client, other.kind.spec, other.path)),
      proof: 'proven',
      provenAs: other.kind.detector,
      path: other.path,
      reason: `its responses are those of ${other.kind.title}`,
    });
  if (status >= 500)
    return verdict({
      health: 'unhealthy',
      authRequired: false,
      proof: 'unproven',
      reason: `${said} ${bodySnippet(body, 80)}`.trim(),
    });
  const locked = verdict({
    health: 'healthy',
    authRequired: true,
    proof: 'unproven',
    reason: `${said}: alive, requires credentials to prove its type`,
  });
  if (proof.auth || requiresAuth(health.answer)) return locked;
  const contradicted = verdict({
    health: 'unhealthy',
    authRequired: false,
    proof: 'contradicted',
    reason: `${said}, and no response proves its type`,
  });
  const { endpoint, detector } = candidate;
  if (prefix !== '' || otherScheme) return contradicted;
  await client.get('/');
  const exchanges = await client.exchanges();
  // A server may have its health check at the root, and all else below a path.
  const usual = exchanges.some(({ answer }) => answer.status === 404) ? [`/${detector}`] : [];
  return {
    ...(proof.ownLogin ? locked : contradicted),
    bases: basePathsIn(exchanges, endpoint, usual),
    isBlank: exchanges.every(({ answer }) => answer.status === 404),
  };
}
