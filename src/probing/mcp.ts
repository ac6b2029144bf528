import type { Candidate, ProbeStep, Verdict } from '../model/discovery.ts';
import { isMapping } from '../model/mapping.ts';
import { quoted } from '../model/text.ts';
import { withoutTrailing } from '../model/trailing.ts';
import { EventReader } from './event-stream.ts';
import {
  type Fetch,
  ProbeFailure,
  type ProbeRequest,
  type ProbeResponse,
  verdictOnFailure,
} from './fetch.ts';
import { createRpcCall } from './json-rpc.ts';
import {
  ERAS,
  initialize,
  initializedNotification,
  LEGACY,
  modernCall,
  refusesHost,
  requiresLogin,
  UNSUPPORTED_VERSION,
} from './mcp-requests.ts';
import { type FetchToolPage, listTools, MAX_VALUES, type ToolList } from './mcp-tools.ts';
import { MAX_WAYS, placeOf, type Way, waysOf } from './mcp-ways.ts';
import { answerText, leadsToOwnLogin, redirectPath } from './redirect.ts';
import { valuesIn } from './values-in.ts';

/** The part of a verdict that follows from the list of tools. */
const toolsOf = ({ tools, gap }: ToolList): Pick<Verdict, 'tools' | 'toolsTruncated' | 'toolsGap'> => ({
  ...(tools && { tools }),
  ...(tools && gap !== undefined && { toolsTruncated: true }),
  ...(gap !== undefined && { toolsGap: gap }),
});

/** Timeout to end a session after the probe has timed out, in milliseconds. */
const SESSION_END_TIMEOUT = 1_000;

/** The result of asking a server in one way. */
interface Attempt {
  readonly verdict: Omit<Verdict, 'steps'>;
  /** Whether it says enough of the server, so that no other way is tried. */
  readonly decisive?: true;
  /** The server refuses the `Host` name of what forwards the request. */
  readonly isForeign?: true;
  /** The path of the server to which it redirects. */
  readonly redirected?: string | undefined;
  /** An agent that is given the path follows the redirect: only 307 and 308 keep the method. */
  readonly isFollowed?: boolean;
}

type Answer = ProbeResponse | ProbeFailure;
type Result = Omit<Verdict, 'steps' | 'authRequired'>;

const failed = (failure: ProbeFailure, asked: string): Attempt => ({
  verdict: { authRequired: false, ...verdictOnFailure(failure), reason: `${asked}: ${failure.message}` },
});

const answered = (result: Result): Attempt => ({ verdict: { authRequired: false, ...result } });

const LOGIN: Attempt = {
  verdict: {
    health: 'healthy',
    authRequired: true,
    proof: 'unproven',
    toolsGap: 'it requires credentials',
    reason: 'alive, requires credentials to prove its type',
  },
};

/** A server with the protocol that is proven, before its tools are known. */
type Proven = (verdict: Omit<Verdict, 'steps'>) => void;

export interface McpOptions {
  /** Whether to keep the texts of the tools. */
  readonly keepsTexts?: boolean | undefined;
  /** Why the tools are not to be listed, as a clause; `undefined` if they are. Called before the first page. */
  readonly whyUnlisted?: () => string | undefined;
  /**
   * Called with what is known before other ways are tried and before the tools are listed; it counts if the probe times out.
   */
  readonly known?: (verdict: Verdict) => void;
}

/** The requests of one probe, in one way after the other. */
class McpProbe {
  readonly steps: ProbeStep[] = [];
  readonly #candidate: Candidate;
  readonly #fetch: Fetch;
  readonly #signal: AbortSignal;
  readonly #options: McpOptions;
  /** Whether requests have the `Host` name of the endpoint, even if something forwards them. */
  #ownHost = false;

  constructor(candidate: Candidate, fetch: Fetch, signal: AbortSignal, options: McpOptions) {
    this.#candidate = candidate;
    this.#fetch = fetch;
    this.#signal = signal;
    this.#options = options;
  }

  /**
   * Asks in one way. If the server refuses the `Host` name of what forwards the request, asks again with that of the endpoint,
   * because agents use that one.
   * @throws only if the signal is aborted
   */
  async ask(way: Way, proven: Proven): Promise<Attempt> {
    const first = await this.#askOnce(way, proven);
    if (first.isForeign !== true) return first;
    this.#ownHost = true;
    const second = await this.#askOnce(way, proven);
    const { proof, authRequired } = second.verdict;
    if (proof === 'proven' || authRequired || second.decisive === true) return second;
    const message =
      'it refuses the Host name of the API server, and only direct probes show whether it allows its own';
    return { ...failed(new ProbeFailure(message, 'unreachable'), way.path), decisive: true };
  }

  #askOnce(way: Way, proven: Proven): Promise<Attempt> {
    return way.mode === 'sse' ? this.#askForEvents(way) : this.#askForMessages(way, proven);
  }

  #whole(ask: ProbeRequest): ProbeRequest {
    return this.#ownHost ? { ...ask, ownHost: true } : ask;
  }

  async #send(name: string, ask: ProbeRequest): Promise<Answer> {
    try {
      const answer = await this.#fetch(this.#candidate, this.#whole(ask), this.#signal);
      this.steps.push({ asked: name, answered: answerText(answer, ask.path, this.#candidate.endpoint) });
      return answer;
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error;
      this.steps.push({ asked: name, answered: error.message });
      return error;
    }
  }

  #refused({ hasForeignHost }: ProbeResponse): Attempt {
    const { host } = this.#candidate.endpoint;
    const refused = answered({
      health: 'unhealthy',
      proof: 'unproven',
      toolsGap: 'it refuses the Host name',
      reason: `it refuses the Host name of requests: add ${host} to the hosts that the server allows`,
    });
    return { ...refused, decisive: true, ...(hasForeignHost === true && { isForeign: true }) };
  }

  /** The old SSE transport: the server opens a stream and names its endpoint. */
  async #askForEvents({ path }: Way): Promise<Attempt> {
    const asked = `GET ${path} as an event stream`;
    let named = false;
    const events = new EventReader(({ event }) => {
      named = event === 'endpoint';
      return named;
    });
    const answer = await this.#send(asked, {
      path,
      headers: { accept: 'text/event-stream' },
      enough: (chunk) => events.push(chunk),
    });
    if (answer instanceof ProbeFailure) return failed(answer, asked);
    if (refusesHost(answer)) return this.#refused(answer);
    if (requiresLogin(answer) || leadsToOwnLogin(answer, path, this.#candidate.endpoint)) return LOGIN;
    if (named)
      return answered({
        health: 'healthy',
        proof: 'proven',
        facts: { eras: 'legacy' },
        toolsGap: 'servers with the old SSE transport are not asked for them',
        reason: 'it opened an event stream and named its endpoint',
      });
    const contradicted = answered({
      health: 'unhealthy',
      proof: 'contradicted',
      reason: `${asked} answered ${answer.status} and named no endpoint`,
    });
    return { ...contradicted, redirected: redirectPath(answer, path, this.#candidate.endpoint) };
  }

  /** Streamable HTTP, with the requests of both eras. */
  async #askForMessages({ path }: Way, proven: Proven): Promise<Attempt> {
    const discovery = modernCall(path, 'server/discover');
    const modern = await this.#send(`POST ${path} server/discover`, discovery.request);
    if (modern instanceof ProbeFailure) return failed(modern, `POST ${path} server/discover`);
    const redirected = redirectPath(modern, path, this.#candidate.endpoint);
    if (leadsToOwnLogin(modern, path, this.#candidate.endpoint)) return LOGIN;
    if (redirected !== undefined)
      return {
        ...answered({
          health: 'unhealthy',
          proof: 'contradicted',
          reason: `POST ${path} redirects to ${redirected}, which is not an MCP server's answer`,
        }),
        redirected,
        isFollowed: modern.status === 307 || modern.status === 308,
      };
    const discovered = discovery.message(modern);
    const isModern =
      Array.isArray(discovered?.result?.supportedVersions) || discovered?.error?.code === UNSUPPORTED_VERSION;

    const opening = initialize(path);
    const legacy = await this.#send(`POST ${path} initialize`, opening.request);
    if (legacy instanceof ProbeFailure && !isModern) return failed(legacy, `POST ${path} initialize`);
    const opened = legacy instanceof ProbeFailure ? undefined : opening.message(legacy)?.result;
    const isLegacy = typeof opened?.serverInfo === 'object';
    const session =
      legacy instanceof ProbeFailure ? undefined : [legacy.headers['mcp-session-id'] ?? []].flat()[0];
    const version = typeof opened?.protocolVersion === 'string' ? opened.protocolVersion : LEGACY;
    const inSession: Record<string, string> = {
      'mcp-protocol-version': /^\d{4}-\d\d-\d\d$/.test(version) ? version : LEGACY,
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
    };
    try {
      if (isModern || isLegacy) {
        const eras = isModern ? (isLegacy ? 'both' : 'modern') : 'legacy';
        const found = answered({
          health: 'healthy',
          proof: 'proven',
          facts: { eras },
          reason: `an MCP server${nameIn(opened)} ${ERAS[eras]}`,
        });
        proven({ ...found.verdict, toolsGap: 'it did not list them within the time of the probe' });
        if (isLegacy)
          await this.#send(
            `POST ${path} notifications/initialized`,
            initializedNotification(path, inSession),
          );
        // HolmesGPT uses the handshake, so the list of that era counts.
        const list = await this.#listTools(path, isLegacy ? inSession : undefined);
        return { verdict: { ...found.verdict, ...toolsOf(list) } };
      }
    } finally {
      if (session !== undefined) await this.#endSession(path, inSession);
    }
    const answers = [modern, ...(legacy instanceof ProbeFailure ? [] : [legacy])];
    const refusal = answers.find(refusesHost);
    if (refusal !== undefined) return this.#refused(refusal);
    if (answers.some(requiresLogin)) return LOGIN;
    const status = legacy instanceof ProbeFailure ? modern.status : legacy.status;
    const said = `POST ${path} initialize answered ${status}`;
    return status >= 500
      ? answered({ health: 'unhealthy', proof: 'unproven', reason: said })
      : answered({
          health: 'unhealthy',
          proof: 'contradicted',
          reason: `${said}, which is not an MCP server's answer`,
        });
  }

  async #listTools(path: string, inSession: Readonly<Record<string, string>> | undefined): Promise<ToolList> {
    const gap = this.#options.whyUnlisted?.();
    if (gap !== undefined) return { gap };
    return listTools(this.#toolPages(path, inSession), this.#options.keepsTexts);
  }

  /** Requests pages of tools. @param inSession the headers of a session; without, each request is of the modern era */
  #toolPages(path: string, inSession: Readonly<Record<string, string>> | undefined): FetchToolPage {
    return async (cursor, limit) => {
      const params = cursor === undefined ? {} : { cursor };
      const call =
        inSession === undefined
          ? modernCall(path, 'tools/list', params, limit)
          : createRpcCall({ path, method: 'tools/list', params, headers: inSession, limit });
      const answer = await this.#send(`POST ${path} tools/list`, call.request);
      if (answer instanceof ProbeFailure) return answer;
      const values = valuesIn(answer.body);
      const message = values > MAX_VALUES ? undefined : call.message(answer);
      return { status: answer.status, message, bytes: Buffer.byteLength(answer.body), values };
    };
  }

  async #endSession(path: string, headers: Readonly<Record<string, string>>): Promise<void> {
    const ask: ProbeRequest = { method: 'DELETE', path, headers };
    if (!this.#signal.aborted) await this.#send(`DELETE ${path} to end the session`, ask);
    else
      this.#fetch(this.#candidate, this.#whole(ask), AbortSignal.timeout(SESSION_END_TIMEOUT)).catch(
        () => {},
      );
  }
}

/** How a server names itself: ` named "weather", version 1.2`. The texts are untrusted. */
function nameIn(opened: Readonly<Record<string, unknown>> | undefined): string {
  const { name, version } = isMapping(opened?.serverInfo) ? opened.serverInfo : {};
  if (typeof name !== 'string' || name === '') return '';
  const shown = ` named ${quoted(name, 40)}`;
  return typeof version === 'string' && version !== '' ? `${shown}, version ${quoted(version, 20)},` : shown;
}

/**
 * Probes whether a candidate is an MCP server, with the requests of both eras of the protocol: `server/discover`, which
 * opens no session, and `initialize`, whose session is ended again. Lists the tools of a proven server. A server with the
 * old SSE transport is read until it names its endpoint, and its tools stay unknown. A server that proves to be something
 * else at its path is asked at the usual other paths, too, and at a path of its own to which it redirects.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export async function probeMcp(
  candidate: Candidate,
  fetch: Fetch,
  signal: AbortSignal,
  options: McpOptions = {},
): Promise<Verdict> {
  const { known = () => {} } = options;
  const probe = new McpProbe(candidate, fetch, signal, options);
  const { steps } = probe;
  const ways = [...waysOf(candidate)];
  let first: Verdict | undefined;
  /** Paths that lead agents to the same path with a slash at its end. */
  const slashed = new Set<string>();
  for (const [index, way] of ways.entries()) {
    if (index >= MAX_WAYS) break;
    const plain = withoutTrailing(way.path, '/');
    const place = placeOf(slashed.has(plain) ? { ...way, path: plain } : way, candidate);
    const { verdict, decisive, redirected, isFollowed } = await probe.ask(way, (found) =>
      known({ ...found, ...place, steps }),
    );
    if (verdict.proof === 'proven' || decisive) return { ...verdict, ...place, steps };
    first ??= { ...verdict, steps };
    // What a server that is unavailable or wants a login is, it does not say elsewhere either.
    if (first.proof !== 'contradicted') break;
    known(first);
    if (isFollowed === true && redirected === `${way.path}/`) slashed.add(way.path);
    if (redirected !== undefined && !ways.some(({ path }) => path === redirected))
      ways.splice(index + 1, 0, { ...way, path: redirected });
  }
  if (first === undefined) throw new Error('an MCP server without a path');
  return first;
}
