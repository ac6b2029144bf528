import type { ProbeRequest, ProbeResponse } from './fetch.ts';
import { createRpcCall, type RpcCall } from './json-rpc.ts';

/** The protocol revision without a handshake, which is tried first. */
const MODERN = '2026-07-28';
/** The last protocol revision with a handshake. */
export const LEGACY = '2025-11-25';
/** "Unsupported protocol version". Only servers of the modern era return this error. */
export const UNSUPPORTED_VERSION = -32022;

const CLIENT = { name: 'dynamic-toolset', version: '1' };

/** A request of the modern era. Each request contains what a handshake would. */
export const modernCall = (path: string, method: string, params: object = {}, limit?: number): RpcCall =>
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

/** The first request of a handshake. */
export const initialize = (path: string): RpcCall =>
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
export const refusesHost = ({ status, body }: ProbeResponse): boolean =>
  status === 421 || (status === 403 && /\bhost\b/i.test(body));

/** Whether a server wants credentials before it says anything. */
export const requiresLogin = (answer: ProbeResponse): boolean =>
  answer.status === 401 || (answer.status === 403 && !refusesHost(answer));

/** The notification that completes the handshake. Its response has no content. */
export const initializedNotification = (
  path: string,
  headers: Readonly<Record<string, string>>,
): ProbeRequest => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
  body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' }),
  limit: 1024,
  enough: () => true,
});

/** How the eras that a server speaks are described to people. */
export const ERAS = {
  both: `with protocol version ${MODERN}, and ${LEGACY} or earlier`,
  modern: `with protocol version ${MODERN} only`,
  legacy: `with protocol version ${LEGACY} or earlier`,
};
