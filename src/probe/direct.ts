import { lookup } from 'node:dns';
import http from 'node:http';
import https, { type RequestOptions } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { readStart } from '../kube/answer.ts';
import type { Endpoint } from '../model/discovery.ts';
import { oneLine } from '../model/text.ts';
import { refusedAddress } from './address.ts';
import { type Fetch, limitOf, ProbeFailure } from './fetch.ts';

/** Addresses to connect to in place of a host and port: an operator's own word, as curl's `--connect-to`. */
export type ConnectTo = ReadonlyMap<string, { readonly host: string; readonly port: number }>;

/** Most bytes of headers that are read, and most headers. */
const HEADER_LIMIT = 16 * 1024;
const HEADER_COUNT = 100;

/** What stands between a name and a connection; tests put their own in its place. */
export interface Guard {
  readonly resolve: typeof lookup;
  /** Why an address must not be connected to, or nothing if it may. */
  readonly refused: (address: string) => string | undefined;
}

const GUARD: Guard = { resolve: lookup, refused: refusedAddress };

/**
 * Resolves a name once and refuses it unless each of its addresses may be connected to. The connection is made to what
 * was checked: a name that resolves to something else a moment later changes nothing.
 */
function guardedLookup({ resolve, refused }: Guard): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, []);
      for (const { address } of addresses) {
        const why = refused(address);
        if (why !== undefined)
          return callback(new ProbeFailure(`not asked: ${hostname} resolves to ${why}`, 'dead'), []);
      }
      const [first] = addresses;
      if (options.all === true) return callback(null, addresses);
      return callback(null, first?.address ?? '', first?.family);
    });
  };
}

/** Where to connect for an endpoint, and how its name is resolved. @throws ProbeFailure for a refused numeric address */
export function connectionOf(
  endpoint: Endpoint,
  connectTo: ConnectTo,
  guard: Guard = GUARD,
): { readonly host: string; readonly port: number; readonly lookup?: LookupFunction } {
  const target = connectTo.get(`${endpoint.host}:${endpoint.port}`);
  if (target !== undefined) return target;
  const address = endpoint.host.replace(/^\[(.*)\]$/, '$1');
  const why = isIP(address) === 0 ? undefined : guard.refused(address);
  if (why !== undefined) throw new ProbeFailure(`not asked: ${why}`, 'dead');
  return { host: address, port: endpoint.port, lookup: guardedLookup(guard) };
}

/** A failed connection in words for a person. */
export function failureOf(error: unknown): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'its name does not resolve here',
    EAI_AGAIN: 'its name does not resolve here',
    ECONNRESET: 'the connection was closed without an answer',
    EHOSTUNREACH: 'no route to it',
    ENETUNREACH: 'no route to it',
    HPE_HEADER_OVERFLOW: 'its headers are larger than 16 KiB',
  };
  return new ProbeFailure(words[code ?? ''] ?? oneLine(message ?? String(error), 160), 'dead', {
    cause: error,
  });
}

/**
 * The route `direct`: connects to the backend itself. Redirects are not followed, bodies are cut and never
 * decompressed, no credentials are sent, and an address that a name resolves to is checked before it is used.
 */
export function directFetch(connectTo: ConnectTo, guard: Guard = GUARD): Fetch {
  return ({ endpoint }, ask, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Fetch>>>();
    const fail = (error: unknown): void => reject(signal.aborted ? signal.reason : failureOf(error));
    try {
      const options: RequestOptions = {
        ...connectionOf(endpoint, connectTo, guard),
        path: ask.path,
        method: ask.method ?? 'GET',
        headers: {
          host: `${endpoint.host}:${endpoint.port}`,
          accept: '*/*',
          'accept-encoding': 'identity',
          'user-agent': 'dynamic-toolset',
          ...ask.headers,
          ...(ask.body === undefined ? {} : { 'content-length': Buffer.byteLength(ask.body) }),
        },
        agent: false,
        maxHeaderSize: HEADER_LIMIT,
        signal,
      };
      // A backend's certificate is seldom signed by an authority this process knows, and nothing secret is sent.
      const request =
        endpoint.scheme === 'https'
          ? https.request({ ...options, servername: endpoint.host, rejectUnauthorized: false })
          : http.request(options);
      request.maxHeadersCount = HEADER_COUNT;
      let answered = false;
      request.on('error', fail);
      request.on('response', (response) => {
        answered = true;
        readStart(response, limitOf(ask), ask.enough)
          .then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
          .catch(fail)
          .finally(() => request.destroy());
      });
      // A backend that would rather speak another protocol, and one that hangs up, are no answer.
      request.on('upgrade', (_, socket) => {
        socket.destroy();
        fail(new ProbeFailure('it wants to speak another protocol', 'dead'));
      });
      request.on('close', () => {
        if (!answered) fail(new ProbeFailure('the connection was closed without an answer', 'dead'));
      });
      request.end(ask.body);
    } catch (error) {
      fail(error);
    }
    return promise;
  };
}
