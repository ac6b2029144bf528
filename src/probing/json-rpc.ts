import { StringDecoder } from 'node:string_decoder';
import { isMapping, type Mapping } from '../model/mapping.ts';
import { EventReader } from './event-stream.ts';
import { parseExactly } from './exact-json.ts';
import type { ProbeRequest, ProbeResponse } from './fetch.ts';

/** A JSON-RPC response: a result or an error. Its content is untrusted. */
export interface RpcMessage {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code?: unknown; readonly data?: { readonly supported?: unknown } };
}

export interface RpcRequest {
  readonly path: string;
  readonly method: string;
  readonly params?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Maximum bytes of the response body. Default: `BODY_LIMIT`; never more than `MAX_BODY_LIMIT`. */
  readonly limit?: number;
}

/** A JSON-RPC request over HTTP, and the parser of its response. It can be sent once. */
export interface RpcCall {
  readonly request: ProbeRequest;
  /** Parses the response. `undefined` if it is not a JSON-RPC message, or exceeds the limit. */
  readonly message: (answer: ProbeResponse) => RpcMessage | undefined;
}

/** The id of our request. Servers may send messages of their own before the response, and clients match it by its id. */
const ID = 1;

/** Whether a message is the response to our request. A server that could not read the id sends an error without it. */
function isOurs(message: Mapping): boolean {
  if ('result' in message) return message.id === ID;
  return 'error' in message && (message.id === ID || message.id === null || message.id === undefined);
}

function parseMessage(text: string): RpcMessage | undefined {
  try {
    const message = parseExactly(text);
    return isMapping(message) && isOurs(message) ? (message as RpcMessage) : undefined;
  } catch {
    // A ping, an incomplete event, or not JSON.
    return undefined;
  }
}

/**
 * Finds the message in a body that is a JSON object or an event stream. Each event is parsed once, and reading stops at
 * the first message. A JSON object is parsed once it is complete.
 */
class MessageReader {
  readonly #decoder = new StringDecoder('utf8');
  readonly #events = new EventReader(({ data }) => {
    this.#message = data === '' ? undefined : parseMessage(data);
    return this.#message !== undefined;
  });
  #message: RpcMessage | undefined;
  #kind: 'json' | 'events' | undefined;

  push(chunk: Buffer): boolean {
    if (this.#kind === 'json') return false;
    const text = this.#decoder.write(chunk);
    if (this.#kind === undefined) {
      const first = text.trimStart()[0];
      if (first === undefined) return false;
      this.#kind = first === '{' ? 'json' : 'events';
    }
    return this.#kind === 'events' && this.#events.pushText(text);
  }

  message(body: string): RpcMessage | undefined {
    if (this.#kind === 'json') return parseMessage(body);
    this.#events.end();
    return this.#message;
  }
}

/**
 * Creates a JSON-RPC request for MCP's streamable HTTP, whose response may be JSON or an event stream. Send it once,
 * because its parser is stateful.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
export function createRpcCall({ path, method, params, headers = {}, limit }: RpcRequest): RpcCall {
  const reader = new MessageReader();
  return {
    request: {
      method: 'POST',
      path,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: ID, method, params }),
      ...(limit === undefined ? {} : { limit }),
      enough: (chunk) => reader.push(chunk),
    },
    message: ({ body }) => reader.message(body),
  };
}
