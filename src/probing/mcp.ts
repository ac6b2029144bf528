import type { Candidate, ProbeStep, Verdict } from '../model/discovery.ts';
import { EventReader } from './event-stream.ts';
import {
  bodySnippet,
  type Fetch,
  ProbeFailure,
  type ProbeRequest,
  type ProbeResponse,
  verdictOnFailure,
} from './fetch.ts';
import { createRpcCall, type RpcCall } from './json-rpc.ts';
import { type FetchToolPage, listTools, type ToolList } from './mcp-tools.ts';

/** The protocol revision without a handshake, which is tried first, and the last revision with one. */
const MODERN = '2026-07-28';
const LEGACY = '2025-11-25';
/** "Unsupported protocol version". Only servers of the modern era return this error. */
const UNSUPPORTED_VERSION = -32022;

const CLIENT = { name: 'dynamic-toolset', version: '1' };

/** A request of the modern era. Each request contains what a handshake would. */
const modernCall = (path: string, method: string, params: object = {}, limit?: number): RpcCall =>
  createRpcCall({
    path,
    method,
    params: {
      ...params,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': MODERN,
        'io.modelcontextprotocol/clientCapabilities': {},
        'io.modelcontextprotocol/clientInfo': CLIENT,
      },
    },
    headers: { 'mcp-protocol-version': MODERN, 'mcp-method': method },
    ...(limit === undefined ? {} : { limit }),
  });

const initialize = (path: string): RpcCall =>
  createRpcCall({
    path,
    method: 'initialize',
    params: { protocolVersion: LEGACY, capabilities: {}, clientInfo: CLIENT },
  });

/**
 * Whether a server refuses the `Host` header of a request, which the SDKs do by default against DNS rebinding: Python's
 * answers 421, and TypeScript's 403 with "host" in the body.
 * @see https://github.com/modelcontextprotocol/python-sdk/blob/main/src/mcp/server/transport_security.py
 */
const refusesHost = ({ status, body }: ProbeResponse): boolean =>
  status === 421 || (status === 403 && /\bhost\b/i.test(body));

const requiresLogin = (answer: ProbeResponse): boolean =>
  answer.status === 401 || (answer.status === 403 && !refusesHost(answer));

/** The notification that completes the handshake. Its response has no content. */
const initializedNotification = (path: string, headers: Readonly<Record<string, string>>): ProbeRequest => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
  body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
  limit: 1024,
  enough: () => true,
});

/** The part of a verdict that follows from the list of tools. */
const toolsOf = ({ tools, gap }: ToolList): Pick<Verdict, 'tools' | 'toolsTruncated' | 'toolsGap'> => ({
  ...(tools && { tools }),
  ...(tools && gap !== undefined && { toolsTruncated: true }),
  ...(gap !== undefined && { toolsGap: gap }),
});

/** Timeout to end a session after the probe has timed out, in milliseconds. */
const SESSION_END_TIMEOUT = 1_000;

/**
 * Probes whether a candidate is an MCP server, with the requests of both eras of the protocol: `server/discover`, which
 * opens no session, and `initialize`, whose session is ended again. Lists the tools of a proven server. A server with the
 * old SSE transport is read until it names its endpoint, and its tools stay unknown.
 * @param keepsTexts whether to keep the texts of the tools
 * @param onProven called with the verdict before the tools are listed; this verdict counts if listing them times out
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
export async function probeMcp(
  candidate: Candidate,
  fetch: Fetch,
  signal: AbortSignal,
  keepsTexts = false,
  onProven: (verdict: Verdict) => void = () => {},
): Promise<Verdict> {
  const path = candidate.endpoint.path === '' ? '/' : candidate.endpoint.path;
  const steps: ProbeStep[] = [];
  const send = async (name: string, ask: ProbeRequest): Promise<ProbeResponse | ProbeFailure> => {
    try {
      const answer = await fetch(candidate, ask, signal);
      steps.push({ asked: name, answered: `${answer.status} ${bodySnippet(answer.body, 60)}`.trim() });
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
      ...verdictOnFailure(failure),
      reason: `${asked}: ${failure.message}`,
    });
  const refused = (): Verdict =>
    verdict({
      health: 'unhealthy',
      proof: 'unproven',
      toolsGap: 'it refuses the Host name',
      reason: `it refuses the Host name of requests: add ${candidate.endpoint.host} to the hosts that the server allows`,
    });
  const login = (): Verdict =>
    verdict({
      health: 'healthy',
      authRequired: true,
      proof: 'unproven',
      toolsGap: 'it requires credentials',
      reason: 'alive, requires credentials to prove its type',
    });

  if (candidate.mode === 'sse') {
    const asked = `GET ${path} as an event stream`;
    let named = false;
    const events = new EventReader(({ event }) => {
      named = event === 'endpoint';
      return named;
    });
    const answer = await send(asked, {
      path,
      headers: { accept: 'text/event-stream' },
      enough: (chunk) => events.push(chunk),
    });
    if (answer instanceof ProbeFailure) return failed(answer, asked);
    if (refusesHost(answer)) return refused();
    if (requiresLogin(answer)) return login();
    return named
      ? verdict({
          health: 'healthy',
          proof: 'proven',
          facts: { eras: 'legacy' },
          toolsGap: 'servers with the old SSE transport are not asked for them',
          reason: 'it opened an event stream and named its endpoint',
        })
      : verdict({
          health: 'unhealthy',
          proof: 'contradicted',
          reason: `${asked} answered ${answer.status} and named no endpoint`,
        });
  }

  const discovery = modernCall(path, 'server/discover');
  const modern = await send(`POST ${path} server/discover`, discovery.request);
  if (modern instanceof ProbeFailure) return failed(modern, `POST ${path} server/discover`);
  const discovered = discovery.message(modern);
  const isModern =
    Array.isArray(discovered?.result?.supportedVersions) || discovered?.error?.code === UNSUPPORTED_VERSION;

  const opening = initialize(path);
  const legacy = await send(`POST ${path} initialize`, opening.request);
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
  const fetchToolPage: FetchToolPage = async (cursor, limit) => {
    const params = cursor === undefined ? {} : { cursor };
    const call = isLegacy
      ? createRpcCall({ path, method: 'tools/list', params, headers: inSession, limit })
      : modernCall(path, 'tools/list', params, limit);
    const answer = await send(`POST ${path} tools/list`, call.request);
    if (answer instanceof ProbeFailure) return answer;
    const bytes = Buffer.byteLength(answer.body);
    return { status: answer.status, message: call.message(answer), bytes };
  };
  try {
    if (isModern || isLegacy) {
      const eras = isModern ? (isLegacy ? 'both' : 'modern') : 'legacy';
      const words = {
        both: `an MCP server with protocol version ${MODERN}, and ${LEGACY} or earlier`,
        modern: `an MCP server with protocol version ${MODERN} only`,
        legacy: `an MCP server with protocol version ${LEGACY} or earlier`,
      };
      const found = verdict({ health: 'healthy', proof: 'proven', facts: { eras }, reason: words[eras] });
      onProven({ ...found, toolsGap: 'it did not list them within the time of the probe' });
      if (isLegacy)
        await send(`POST ${path} notifications/initialized`, initializedNotification(path, inSession));
      // HolmesGPT uses the handshake, so the list of that era counts.
      return { ...found, ...toolsOf(await listTools(fetchToolPage, keepsTexts)) };
    }
  } finally {
    if (session !== undefined) {
      const ask: ProbeRequest = { method: 'DELETE', path, headers: inSession };
      if (!signal.aborted) await send(`DELETE ${path} to end the session`, ask);
      else fetch(candidate, ask, AbortSignal.timeout(SESSION_END_TIMEOUT)).catch(() => {});
    }
  }
  const answers = [modern, ...(legacy instanceof ProbeFailure ? [] : [legacy])];
  if (answers.some(refusesHost)) return refused();
  if (answers.some(requiresLogin)) return login();
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
        reason: `POST ${path} initialize answered ${status}, which is not an MCP server's answer`,
      });
}
