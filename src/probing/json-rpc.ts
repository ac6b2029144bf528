import { StringDecoder } from 'node:string_decoder';
import { EventReader } from './event-stream.ts';
import type { Answer, Ask } from './fetch.ts';

/** The answer to a request: a result or an error. Everything in it is the server's word. */
export interface RpcMessage {
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code?: unknown; readonly data?: { readonly supported?: unknown } };
}

export interface RpcRequest {
  readonly path: string;
  readonly method: string;
  readonly params?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Most bytes that are read of the answer's body; `BODY_LIMIT` without it, and `LARGEST_BODY` at most. */
  readonly limit?: number;
}

/** One request of JSON-RPC over HTTP, ready to be sent once by any route, and the reader of its answer. */
export interface RpcCall {
  readonly ask: Ask;
  /** What came back: undefined where it is no message, or was longer than the limit. */
  readonly message: (answer: Answer) => RpcMessage | undefined;
}

function messageIn(text: string): RpcMessage | undefined {
  try {
    const message: unknown = JSON.parse(text);
    const isAnswer =
      typeof message === 'object' && message !== null && ('result' in message || 'error' in message);
    return isAnswer ? (message as RpcMessage) : undefined;
  } catch {
    // A ping, half an event, or no JSON.
    return undefined;
  }
}

/**
 * Finds the message in a body that is one JSON object, or a stream of events of which one is the message. JSON is parsed
 * once, when all of it is there; of a stream each event is parsed once, and reading stops at the message.
 */
class MessageReader {
  readonly #decoder = new StringDecoder('utf8');
  readonly #events = new EventReader(({ data }) => {
    this.#message = data === '' ? undefined : messageIn(data);
    return this.#message !== undefined;
  });
  #message: RpcMessage | undefined;
  #kind: 'json' | 'events' | undefined;

  take(chunk: Buffer): boolean {
    const text = this.#decoder.write(chunk);
    if (this.#kind === undefined) {
      const first = text.trimStart()[0];
      if (first === undefined) return false;
      this.#kind = first === '{' ? 'json' : 'events';
    }
    return this.#kind === 'events' && this.#events.read(text);
  }

  message(body: string): RpcMessage | undefined {
    if (this.#kind === 'json') return messageIn(body);
    this.#events.end();
    return this.#message;
  }
}

/**
 * A POST of one JSON-RPC request whose answer may be JSON or a stream of events, as MCP's streamable HTTP has it. Send it
 * once: its reader remembers what it saw.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
export function rpcCall({ path, method, params, headers = {}, limit }: RpcRequest): RpcCall {
  const reader = new MessageReader();
  return {
    ask: {
      method: 'POST',
      path,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      ...(limit === undefined ? {} : { limit }),
      enough: (chunk) => reader.take(chunk),
    },
    message: ({ body }) => reader.message(body),
  };
}
