import { lookup } from 'node:dns';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Endpoint } from '../model/discovery.ts';
import { refusedAddress } from './address.ts';

/** What came back of a request. Header names are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At most `BODY_LIMIT` bytes of it. */
  readonly body: string;
}

/** Sends one GET request. @throws Error with a short text for a person, if no whole answer came */
export type Fetch = (endpoint: Endpoint, path: string, signal: AbortSignal) => Promise<Answer>;

/** Address to connect to in place of a host and port: an operator's own word, as curl's `--connect-to`. */
export type ConnectTo = ReadonlyMap<string, { readonly host: string; readonly port: number }>;

/** Most bytes that are read of a body. */
export const BODY_LIMIT = 64 * 1024;
/** Most bytes of headers. */
const HEADER_LIMIT = 16 * 1024;

/** Resolves a name, and refuses it unless each of its addresses may be connected to; what was checked is what is used. */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    for (const { address } of addresses) {
      const refused = refusedAddress(address);
      if (refused !== undefined)
        return callback(new Error(`not asked: ${hostname} resolves to ${refused}`), []);
    }
    const [first] = addresses;
    if (options.all === true) return callback(null, addresses);
    return callback(null, first?.address ?? '', first?.family);
  });
};

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, BODY_LIMIT - length));
    length += chunk.length;
    if (length >= BODY_LIMIT) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * The route `direct`: connects to the backend itself. Redirects are not followed, bodies are cut, no credentials are
 * sent, and an address that a name resolves to is checked before it is used.
 */
export function directFetch(connectTo: ConnectTo): Fetch {
  return (endpoint, path, signal) => {
    const target = connectTo.get(`${endpoint.host}:${endpoint.port}`);
    const options: RequestOptions & https.RequestOptions = {
      host: target?.host ?? endpoint.host,
      port: target?.port ?? endpoint.port,
      path,
      method: 'GET',
      headers: {
        host: `${endpoint.host}:${endpoint.port}`,
        accept: '*/*',
        'accept-encoding': 'identity',
        'user-agent': 'dynamic-toolset',
      },
      agent: false,
      maxHeaderSize: HEADER_LIMIT,
      signal,
      ...(target === undefined ? { lookup: guardedLookup } : {}),
    };
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    // A backend's certificate is seldom signed by an authority this process knows; nothing secret is sent.
    const request =
      endpoint.scheme === 'https'
        ? https.request({ ...options, servername: endpoint.host, rejectUnauthorized: false })
        : http.request(options);
    request.on('error', reject);
    request.on('response', (response) => {
      readBody(response)
        .then((body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        .catch(reject)
        .finally(() => request.destroy());
    });
    request.end();
    return promise;
  };
}
