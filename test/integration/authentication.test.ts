import { createPrivateKey, sign } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { reviewAccess } from '../../src/kubernetes/access-reviews.ts';
import { connect, type KubeClient } from '../../src/kubernetes/connection.ts';
import { reviewToken } from '../../src/kubernetes/token-reviews.ts';
import type { AccessAttributes } from '../../src/model/caller.ts';
import { createApp } from '../../src/server/app.ts';
import { Authenticator, challenge } from '../../src/server/authentication.ts';
import { Authorizer } from '../../src/server/authorization.ts';
import { ProblemError } from '../../src/server/problem.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { testCluster, waitUntil } from '../cluster/cluster.ts';
import type { ServiceAccount } from '../cluster/service-account.ts';
import { faultyApi } from './faulty-api.ts';

const AUDIENCE = 'dynamic-toolset';
/** What `serve` needs for it: what the ClusterRole `system:auth-delegator` grants. */
const REVIEWING = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];

const cluster = testCluster();

const kubeWith = (kubeconfig: string): KubeClient =>
  connect({ kubeconfig, origin: 'of the test', context: undefined });

/** A connection with the rights to have tokens and access reviewed and no others. */
async function reviewer(rules: typeof REVIEWING = REVIEWING): Promise<KubeClient> {
  const namespace = await cluster.namespace('reviewer');
  const account = await cluster.serviceAccount({ namespace, clusterRules: rules });
  return kubeWith(await cluster.kubeconfig(account));
}

/** An account that asks. */
async function client(): Promise<ServiceAccount> {
  return cluster.serviceAccount({ namespace: await cluster.namespace('client') });
}

interface TokenSpec {
  readonly audiences?: readonly string[];
  readonly boundObjectRef?: Readonly<Record<string, string>>;
}

async function mint({ namespace, name }: ServiceAccount, spec: TokenSpec = {}): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const reply = await cluster.admin.create<{ readonly status: { readonly token: string } }>(path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: { audiences: [AUDIENCE], expirationSeconds: 600, ...spec },
  });
  return reply.status.token;
}

/** A token with other claims, signed by the API server's own key: that is how one can be expired now. */
async function signedAnew(token: string, claims: Readonly<Record<string, unknown>>): Promise<string> {
  const { folder } = cluster.connection;
  const [environment = ''] = (await readdir(folder)).filter((name) => name.startsWith('envtest-'));
  const key = createPrivateKey(await readFile(join(folder, environment, 'certs/sa-signer.key'), 'utf8'));
  const [header = '', payload = ''] = token.split('.');
  const changed = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), ...claims };
  const signed = `${header}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}`;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

/** A server that tells its callers who they are, and the time that it goes by. */
async function serving(kube: KubeClient) {
  const lines = new PassThrough();
  const { log } = createLogger({ logLevel: 'debug', logFormat: 'json' }, lines);
  const clock = { ahead: 0 };
  const stop = new AbortController();
  const authenticator = new Authenticator({
    review: (token, signal) => reviewToken(kube, { token, audiences: [AUDIENCE] }, signal),
    now: () => Date.now() + clock.ahead,
    signal: stop.signal,
  });
  const app = await createApp({
    log,
    component: 'api_server',
    answered: () => {},
    routes: (routes) => {
      routes.get('/whoami', async ({ headers }) => {
        const found = await authenticator.authenticate(headers.authorization, '127.0.0.1');
        switch (found.kind) {
          case 'caller':
            return found.caller;
          case 'denied':
            log.info(found.why);
            throw new ProblemError('unauthenticated', 'Send a token.', {
              headers: { 'www-authenticate': challenge(found) },
            });
          case 'unavailable':
            log.warn(found.why);
            throw new ProblemError('unavailable', 'Later.', {
              headers: { 'retry-after': String(found.retryAfter) },
            });
        }
      });
    },
  });
  onTestFinished(async () => {
    stop.abort();
    await app.close();
  });
  return {
    clock,
    whoami: (authorization?: string) =>
      app.inject({ url: '/whoami', ...(authorization === undefined ? {} : { headers: { authorization } }) }),
    logged: async (): Promise<string> => {
      lines.end();
      return text(lines);
    },
  };
}

describe('tokens of ServiceAccounts', () => {
  test('a valid one names its account', async () => {
    const { whoami } = await serving(await reviewer());
    const account = await client();
    const answer = await whoami(`Bearer ${await mint(account)}`);
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        username: account.user,
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        groups: expect.arrayContaining([
          'system:serviceaccounts',
          `system:serviceaccounts:${account.namespace}`,
        ]),
        extra: expect.any(Object),
      },
    ]);
  });

  test('an expired one is rejected; the same one with a valid time is not', async () => {
    const { whoami } = await serving(await reviewer());
    const token = await mint(await client());
    const hour = 3600;
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now - 2 * hour, nbf: now - 2 * hour, exp: now - hour };
    expect((await whoami(`Bearer ${await signedAnew(token, {})}`)).statusCode).toBe(200);
    const expired = await whoami(`Bearer ${await signedAnew(token, times)}`);
    expect([expired.statusCode, expired.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="dynamic-toolset", error="invalid_token"',
    ]);
  });

  const of = async (...parts: [number, number, number]): Promise<string> => {
    const tokens = [await mint(await client()), await mint(await client())];
    return parts.map((token, part) => tokens[token]?.split('.')[part]).join('.');
  };
  const wrong: readonly [string, () => Promise<string>][] = [
    ['of another audience', async () => mint(await client(), { audiences: ['another'] })],
    ['for the API server itself', async () => cluster.token(await client())],
    ['with the signature of another', () => of(0, 0, 1)],
    ['with the claims of another', () => of(0, 1, 0)],
    ['that was never one', async () => 'abc.def.ghi'],
  ];

  test.for(wrong)('one %s is refused, and no line of the log holds it', async ([, make]) => {
    const { whoami, logged } = await serving(await reviewer());
    const token = await make();
    const answer = await whoami(`Bearer ${token}`);
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([
      401,
      'Bearer realm="dynamic-toolset", error="invalid_token"',
    ]);
    expect(answer.body).not.toContain(token);
    expect(await logged()).not.toContain(token);
  });

  test.for([
    [
      'whose account was deleted',
      async (account: ServiceAccount) => {
        const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}`;
        return { token: await mint(account), path };
      },
    ],
    [
      'bound to a Secret that was deleted',
      async (account: ServiceAccount) => {
        const secrets = `/api/v1/namespaces/${account.namespace}/secrets`;
        const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'bound' } };
        const { uid } = (await cluster.admin.create(secrets, secret)).metadata;
        const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: 'bound', uid };
        return { token: await mint(account, { boundObjectRef }), path: `${secrets}/bound` };
      },
    ],
  ] as const)('one %s is refused as soon as the API server knows', async ([, make]) => {
    const { whoami, clock } = await serving(await reviewer());
    const { token, path } = await make(await client());
    await cluster.admin.delete(path);
    // The API server remembers for ten seconds a token that it took before it learnt of that.
    await waitUntil(
      'it is refused',
      async () => {
        clock.ahead += 10_000;
        return (await whoami(`Bearer ${token}`)).statusCode === 401;
      },
      { limitMs: 30_000 },
    );
    expect((await whoami(`Bearer ${token}`)).headers['www-authenticate']).toContain('invalid_token');
  });

  test.for([
    ['none', undefined, 'Bearer realm="dynamic-toolset"'],
    ['Basic', 'Basic YTpi', 'Bearer realm="dynamic-toolset", error="invalid_request"'],
    ['two in one', 'Bearer a, Bearer b', 'Bearer realm="dynamic-toolset", error="invalid_request"'],
  ] as const)('%s is refused', async ([, header, wanted]) => {
    const { whoami } = await serving(await reviewer());
    const answer = await whoami(header);
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, wanted]);
  });
});

describe('reviews that reach the API server', () => {
  async function counting() {
    const api = await faultyApi(cluster.connection);
    const reviews: string[] = [];
    api.fault = ({ request, url, forward }) => {
      reviews.push(`${request.method} ${url.pathname}`);
      forward();
    };
    return { api, reviews, ...(await serving(kubeWith(api.kubeconfig))) };
  }

  test('100 concurrent wrong tokens cause 100, 100 requests with one token cause one', async () => {
    const { reviews, whoami } = await counting();
    const wrong = Array.from({ length: 100 }, (_, index) => `Bearer wrong-${index}`);
    const refused = await Promise.all([...wrong, ...wrong].map((header) => whoami(header)));
    expect(new Set(refused.map(({ statusCode }) => statusCode))).toEqual(new Set([401]));
    expect(reviews).toHaveLength(100);
    const token = await mint(await client());
    const taken = await Promise.all(Array.from({ length: 100 }, () => whoami(`Bearer ${token}`)));
    expect(new Set(taken.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
    expect(reviews.slice(100)).toEqual(['POST /apis/authentication.k8s.io/v1/tokenreviews']);
  });

  test('while the API server is down, cached callers are served, and others get a retry', async () => {
    const { api, whoami, clock } = await counting();
    const [known, unknown] = [await mint(await client()), await mint(await client())];
    expect((await whoami(`Bearer ${known}`)).statusCode).toBe(200);
    api.shut();
    const answer = await whoami(`Bearer ${unknown}`);
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.headers['www-authenticate']).toBeUndefined();
    expect((await whoami('Bearer wrong')).statusCode).toBe(503);
    expect((await whoami(`Bearer ${known}`)).statusCode).toBe(200);
    clock.ahead += 10_000;
    expect((await whoami(`Bearer ${known}`)).statusCode).toBe(503);
    await api.open();
    clock.ahead += 1_000;
    expect((await whoami(`Bearer ${known}`)).statusCode).toBe(200);
    expect((await whoami(`Bearer ${unknown}`)).statusCode).toBe(200);
    expect((await whoami('Bearer wrong')).statusCode).toBe(401);
  });

  test('without permission to create token reviews, nobody is admitted, and the log names the permission', async () => {
    const { whoami, logged } = await serving(await reviewer([]));
    const answer = await whoami(`Bearer ${await mint(await client())}`);
    expect(answer.statusCode).toBe(503);
    expect(await logged()).toContain('cannot create resource \\"tokenreviews\\"');
  });
});

describe('permissions of callers', () => {
  async function authorizing(kube: KubeClient) {
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    return new Authorizer({
      review: (caller, attributes, signal) => reviewAccess(kube, caller, attributes, signal),
      now: Date.now,
      signal: stop.signal,
    });
  }

  /** An account that may read Services of its namespace and one path, as the API server tells it. */
  async function reader(kube: KubeClient) {
    const namespace = await cluster.namespace('reader');
    const account = await cluster.serviceAccount({
      namespace,
      rulesIn: { [namespace]: [{ apiGroups: [''], resources: ['services'], verbs: ['get'] }] },
      clusterRules: [{ nonResourceURLs: ['/metrics'], verbs: ['get'] }],
    });
    const question = { token: await mint(account), audiences: [AUDIENCE] };
    const verdict = await reviewToken(kube, question, new AbortController().signal);
    if (!verdict.authenticated) throw new Error(verdict.why);
    return { namespace, caller: verdict.user };
  }

  const services = (verb: string, namespace: string): AccessAttributes => ({
    resourceAttributes: { verb, group: '', resource: 'services', namespace },
  });
  const metrics = (verb: string): AccessAttributes => ({ nonResourceAttributes: { verb, path: '/metrics' } });

  test('follow their Roles', async () => {
    const kube = await reviewer();
    const authorizer = await authorizing(kube);
    const { caller, namespace } = await reader(kube);
    const kinds = async (...questions: AccessAttributes[]) =>
      (await Promise.all(questions.map((each) => authorizer.authorize(caller, each)))).map(
        ({ kind }) => kind,
      );
    expect(await kinds(services('get', namespace), metrics('get'))).toEqual(['allowed', 'allowed']);
    expect(await kinds(services('delete', namespace), services('get', 'default'), metrics('post'))).toEqual([
      'forbidden',
      'forbidden',
      'forbidden',
    ]);
  });

  test('are unknown without permission to create access reviews', async () => {
    const { caller } = await reader(await reviewer());
    const authorizer = await authorizing(await reviewer(REVIEWING.slice(0, 1)));
    expect(await authorizer.authorize(caller, metrics('get'))).toEqual({
      kind: 'unavailable',
      why: expect.stringContaining('cannot create resource "subjectaccessreviews"'),
      retryAfter: 1,
    });
  });
});
