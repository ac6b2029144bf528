import { type RequestOptions, request } from 'node:https';

/** Any Kubernetes object. */
interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [field: string]: unknown;
}

interface KubeMetadata {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** An object as the API server gave it back: it has a name, and so on. */
export interface StoredObject extends KubeObject {
  readonly metadata: KubeMetadata & {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
}

/** The API server's whole answer, whatever its status. */
interface Reply {
  readonly status: number;
  /** The parsed JSON, or the text where it is none. */
  readonly body: unknown;
}

/** The API server refused: `status` is its HTTP status, `reason` its word for it (`Forbidden`, `NotFound`). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly reason: string;

  constructor(method: string, path: string, reply: Reply) {
    const said = isRecord(reply.body) ? reply.body : { message: reply.body };
    super(`${method} ${path}: HTTP ${reply.status}, ${String(said.message ?? 'no message')}`);
    this.status = reply.status;
    this.reason = typeof said.reason === 'string' ? said.reason : '';
  }
}

/** Who asks: a client certificate or a bearer token. */
export type Credentials = { readonly certPem: string; readonly keyPem: string } | { readonly token: string };

const MERGE_PATCH = 'application/merge-patch+json';
const APPLY_PATCH = 'application/apply-patch+yaml';

/**
 * Talks to the API server by path (`/api/v1/namespaces/x/services`). `request` gives back every status; the
 * others throw an `ApiError` on one that is not 2xx.
 */
export interface Rest {
  request(method: string, path: string, body?: unknown, contentType?: string): Promise<Reply>;
  get<T = StoredObject>(path: string): Promise<T>;
  /** POST to a collection. */
  create<T = StoredObject>(path: string, object: KubeObject): Promise<T>;
  /** Server-side apply to an object's own path, taking over fields that others own. */
  apply<T = StoredObject>(path: string, object: KubeObject, fieldManager?: string): Promise<T>;
  /** A JSON merge patch, unless `contentType` names another kind. */
  patch<T = StoredObject>(path: string, patch: unknown, contentType?: string): Promise<T>;
  /** Deletes an object; one that is not there is no error. */
  delete(path: string): Promise<void>;
}

/** How long the API server may take to answer, in milliseconds. */
const ANSWER_LIMIT_MS = 30_000;

/** A client of the API server at `server`, trusted by `caPem`. */
export function restClient(server: string, caPem: string, credentials: Credentials): Rest {
  const identity: RequestOptions =
    'token' in credentials
      ? { headers: { authorization: `Bearer ${credentials.token}` } }
      : { cert: credentials.certPem, key: credentials.keyPem };
  const send = (method: string, path: string, body?: unknown, contentType = 'application/json') =>
    exchange(new URL(path, server), { ...identity, ca: caPem, method }, body, contentType);
  const demand = async <T>(
    method: string,
    path: string,
    body?: unknown,
    contentType?: string,
  ): Promise<T> => {
    const reply = await send(method, path, body, contentType);
    if (reply.status < 200 || reply.status > 299) throw new ApiError(method, path, reply);
    return reply.body as T;
  };
  return {
    request: send,
    get: (path) => demand('GET', path),
    create: (path, object) => demand('POST', path, object),
    apply: (path, object, fieldManager = 'dynamic-toolset-test') =>
      demand(
        'PATCH',
        `${path}?fieldManager=${encodeURIComponent(fieldManager)}&force=true`,
        object,
        APPLY_PATCH,
      ),
    patch: (path, patch, contentType = MERGE_PATCH) => demand('PATCH', path, patch, contentType),
    async delete(path) {
      const reply = await send('DELETE', path);
      if (reply.status !== 404 && reply.status > 299) throw new ApiError('DELETE', path, reply);
    },
  };
}

function exchange(url: URL, options: RequestOptions, body: unknown, contentType: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...options.headers,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': contentType }),
    };
    const sent = request(url, { ...options, headers, timeout: ANSWER_LIMIT_MS }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) }),
      );
    });
    sent.on('timeout', () =>
      sent.destroy(
        new Error(`${options.method} ${url.pathname}: no answer within ${ANSWER_LIMIT_MS / 1000} s`),
      ),
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
