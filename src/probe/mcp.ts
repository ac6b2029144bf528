import type { Candidate, ProbeStep, Verdict } from '../model/discovery.ts';
import { type Answer, type Ask, type Fetch, ProbeFailure, startOf } from './fetch.ts';

/** The revision without handshake that is asked for first, and the last one with it. */
const MODERN = '2026-07-28';
const LEGACY = '2025-11-25';
/** "Unsupported protocol version": an error that only servers of the modern era know. */
const UNSUPPORTED_VERSION = -32022;

const CLIENT = { name: 'dynamic-toolset', version: '1' };
const JSON_OR_STREAM = 'application/json, text/event-stream';

interface Message {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code?: unknown; readonly data?: { readonly supported?: unknown } };
}

/** The JSON-RPC message of an answer: its body, or the first whole event of a stream. */
function messageOf(body: string): Message | undefined {
  const texts = body.trimStart().startsWith('{')
    ? [body]
    : body
        .split(/\r?\n\r?\n/)
        .map((event) => [...event.matchAll(/^data:[ ]?(.*)$/gm)].map((line) => line[1] ?? '').join('\n'));
  for (const text of texts) {
    try {
      const message: unknown = JSON.parse(text);
      if (typeof message === 'object' && message !== null && ('result' in message || 'error' in message))
        return message as Message;
    } catch {
      // A ping, a half event or no JSON: the next event may be the message.
    }
  }
  return undefined;
}

function post(path: string, method: string, params: unknown, headers: Record<string, string> = {}): Ask {
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', accept: JSON_OR_STREAM, ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    enough: (body) => messageOf(body) !== undefined,
  };
}

const discover = (path: string): Ask =>
  post(
    path,
    'server/discover',
    {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': CLIENT,
      },
    },
    { 'mcp-protocol-version': MODERN, 'mcp-method': 'server/discover' },
  );

const initialize = (path: string): Ask =>
  post(path, 'initialize', { protocolVersion: LEGACY, capabilities: {}, clientInfo: CLIENT });

const asksForLogin = (answer: Answer): boolean => answer.status === 401 || answer.status === 403;

/**
 * Asks a candidate whether it is an MCP server, in the words of both eras of the protocol: `server/discover`, which
 * opens nothing, and `initialize`, whose session is ended again. A server of the old SSE transport is read until it
 * names its endpoint.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export async function probeMcp(candidate: Candidate, fetch: Fetch, signal: AbortSignal): Promise<Verdict> {
  const path = candidate.endpoint.path === '' ? '/' : candidate.endpoint.path;
  const steps: ProbeStep[] = [];
  const send = async (name: string, ask: Ask): Promise<Answer | ProbeFailure> => {
    try {
      const answer = await fetch(candidate, ask, signal);
      steps.push({ asked: name, answered: `${answer.status} ${startOf(answer.body, 60)}`.trim() });
      return answer;
    } catch (error) {
      if (!(error instanceof ProbeFailure)) throw error;
      steps.push({ asked: name, answered: error.message });
      return error;
    }
  };
  const verdict = (rest: Omit<Verdict, 'steps' | 'authRequired'> & { authRequired?: boolean }): Verdict => ({
    authRequired: false,
    ...rest,
    steps,
  });
  const failed = (failure: ProbeFailure, asked: string): Verdict =>
    verdict({
      health: failure.kind === 'unreachable' ? 'unknown' : 'unhealthy',
      proof: 'unproven',
      fault: 'connection',
      reason: `${asked}: ${failure.message}`,
    });
  const login = (): Verdict =>
    verdict({
      health: 'healthy',
      authRequired: true,
      proof: 'unproven',
      reason: 'alive, wants credentials before it shows what it is',
    });

  if (candidate.mode === 'sse') {
    const asked = `GET ${path} as an event stream`;
    const answer = await send(asked, {
      path,
      headers: { accept: 'text/event-stream' },
      enough: (body) => /^event:\s*endpoint\s*$/m.test(body),
    });
    if (answer instanceof ProbeFailure) return failed(answer, asked);
    if (asksForLogin(answer)) return login();
    return /^event:\s*endpoint\s*$/m.test(answer.body)
      ? verdict({
          health: 'healthy',
          proof: 'proven',
          facts: { eras: 'legacy' },
          reason: 'it opened an event stream and named its endpoint',
        })
      : verdict({
          health: 'unhealthy',
          proof: 'contradicted',
          reason: `${asked} answered ${answer.status} and named no endpoint`,
        });
  }

  const modern = await send(`POST ${path} server/discover`, discover(path));
  if (modern instanceof ProbeFailure) return failed(modern, `POST ${path} server/discover`);
  const discovered = messageOf(modern.body);
  const isModern =
    Array.isArray(discovered?.result?.supportedVersions) || discovered?.error?.code === UNSUPPORTED_VERSION;

  const legacy = await send(`POST ${path} initialize`, initialize(path));
  if (legacy instanceof ProbeFailure) {
    if (!isModern) return failed(legacy, `POST ${path} initialize`);
  } else {
    const session = [legacy.headers['mcp-session-id'] ?? []].flat()[0];
    if (session !== undefined) {
      const headers = { 'mcp-session-id': session, 'mcp-protocol-version': LEGACY };
      await send(`DELETE ${path} to end the session`, { method: 'DELETE', path, headers });
    }
  }
  const isLegacy =
    !(legacy instanceof ProbeFailure) && typeof messageOf(legacy.body)?.result?.serverInfo === 'object';
  if (isModern || isLegacy) {
    const eras = isModern ? (isLegacy ? 'both' : 'modern') : 'legacy';
    const words = {
      both: `an MCP server of both eras (up to ${LEGACY} and ${MODERN})`,
      modern: `an MCP server of ${MODERN} only`,
      legacy: 'an MCP server, of the era with a handshake',
    };
    return verdict({ health: 'healthy', proof: 'proven', facts: { eras }, reason: words[eras] });
  }
  if (asksForLogin(modern) || (!(legacy instanceof ProbeFailure) && asksForLogin(legacy))) return login();
  const status = legacy instanceof ProbeFailure ? modern.status : legacy.status;
  return status >= 500
    ? verdict({
        health: 'unhealthy',
        proof: 'unproven',
        reason: `POST ${path} initialize answered ${status}`,
      })
    : verdict({
        health: 'unhealthy',
        proof: 'contradicted',
        reason: `POST ${path} initialize answered ${status}, which is no MCP server's answer`,
      });
}
