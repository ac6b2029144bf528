/** Attacks by requests to the API: texts that are costly to check, floods, and bodies that fill caches. */
import { request } from 'node:http';
import { type Attack, EVIL, repeat, type Stage } from './attack.ts';

/** Sends one request, with a timeout. @param from local address, to appear as another client */
function send(
  { port }: Stage,
  method: string,
  path: string,
  options: {
    readonly token?: string;
    readonly body?: unknown;
    readonly from?: string;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const text = options.body === undefined ? undefined : JSON.stringify(options.body);
  const sent = request(
    {
      host: '127.0.0.1',
      port,
      method,
      path,
      localAddress: options.from ?? '127.0.0.2',
      agent: false,
      timeout: 20_000,
      signal: options.signal,
      headers: {
        ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
    },
    (response) => {
      response.resume();
      response.on('close', resolve);
    },
  );
  sent.on('error', () => resolve());
  sent.on('timeout', () => sent.destroy());
  sent.end(text);
  return promise;
}

/** Keeps this many requests in flight until the signal is aborted. */
async function flood(many: number, action: (n: number) => Promise<void>, signal: AbortSignal): Promise<void> {
  let n = 0;
  const worker = async (): Promise<void> => {
    while (!signal.aborted) {
      await action(n++);
      // An action that fails at once must not starve the timer that ends the attack.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await Promise.all(Array.from({ length: many }, worker));
}

const aliases = (bytes: number): string => `x: &a 1\ny: [${'*a,'.repeat(bytes / 3)}]\n`;
const numbered = (many: number, line: (n: number) => string): string =>
  Array.from({ length: many }, (_, n) => line(n)).join('');

/** Has a text checked again and again by `POST /api/v1/toolsets/validate`, with a Pod's token. */
const validate = (name: string, about: string, kind: string, content: string): Attack => ({
  name: `validate-${name}`,
  about,
  run: (stage, signal) =>
    repeat(
      () =>
        send(stage, 'POST', '/api/v1/toolsets/validate', {
          token: stage.token,
          body: { kind, content },
          signal,
        }),
      200,
      signal,
    ),
});

const TYPES = ['prometheus', 'grafana', 'loki', 'tempo', 'jaeger', 'kafka', 'mcp', 'custom'];
const MANY = Array.from({ length: 1_000 }, (_, n) => ({
  name: `n${n}`,
  namespace: `ns${n % 300}`,
  type: TYPES[n % TYPES.length],
  endpoint: `http://n${n}:90`,
}));

export const REQUESTS: readonly Attack[] = [
  validate('aliases', '48 KB of aliases to validate', 'overrides', aliases(48_000)),
  validate('aliases-256k', '250 KB of aliases to validate', 'holmesgpt', aliases(250_000)),
  validate(
    'keys',
    '155 KB of distinct keys to validate',
    'toolset-json',
    numbered(12_000, (n) => `key${n}: 1\n`),
  ),
  validate(
    'faults',
    '240 KB of invalid toolsets',
    'holmesgpt',
    `toolsets:\n${numbered(20_000, (n) => `  k${n}: 1\n`)}`,
  ),
  validate('tags', '250 KB of tags', 'overrides', '!a '.repeat(83_000)),
  validate('depth', 'lists nested 100,000 deep', 'overrides', '['.repeat(100_000)),
  {
    name: 'overrides-aliases',
    about: 'overrides.yaml with 39 KB and 250 KB of aliases in the ConfigMap',
    run: (stage, signal) =>
      repeat(
        (round) =>
          stage.cluster.admin.patch(
            `/api/v1/namespaces/${stage.published}/configmaps/kubernaut-toolset-config`,
            { data: { 'overrides.yaml': `${aliases(round % 2 === 0 ? 39_000 : 250_000)}# ${round}\n` } },
          ),
        3_000,
        signal,
      ),
  },
  {
    name: 'overrides-lookup',
    about: 'GET of one tool, 100 times a second, with 3,000 overrides',
    async run(stage, signal) {
      const tools = numbered(3_000, (n) => `  a-${n}/b-${n}:\n    enabled: false\n`);
      await stage.cluster.admin.patch(
        `/api/v1/namespaces/${stage.published}/configmaps/kubernaut-toolset-config`,
        { data: { 'overrides.yaml': `tools:\n${tools}` } },
      );
      const one = (round: number): Promise<void> =>
        send(stage, 'GET', `/api/v1/toolsets/none-${round}`, { token: stage.token, signal });
      await repeat((round) => Promise.all([one(2 * round), one(2 * round + 1)]), 20, signal);
    },
  },
  {
    name: 'generate-many',
    about: 'repeated requests for the documents of 1,000 services, with a Pod token',
    run: (stage, signal) =>
      flood(
        5,
        () =>
          send(stage, 'POST', '/api/v1/toolsets/generate', {
            token: stage.token,
            body: { services: MANY },
            signal,
          }),
        signal,
      ),
  },
  {
    name: 'log-flood',
    about: 'requests without a token and with long paths, from 4 addresses',
    run: (stage, signal) =>
      flood(
        32,
        (n) =>
          send(stage, 'GET', `/api/v1/toolsets?x=${'a'.repeat(15_000)}`, {
            from: `127.0.0.${2 + (n % 4)}`,
            signal,
          }),
        signal,
      ),
  },
  {
    name: 'page-files',
    about: 'the largest file of the API page without a token, from 20 addresses, by clients that go away',
    run: (stage, signal) =>
      flood(
        200,
        (n) =>
          send(stage, 'GET', '/docs/swagger-ui-bundle.js', {
            from: `127.0.3.${2 + (n % 20)}`,
            signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]),
          }),
        signal,
      ),
  },
  {
    name: 'framework-errors',
    about: 'requests that the router itself rejects, from 2 addresses',
    run: (stage, signal) =>
      flood(
        32,
        (n) =>
          send(stage, 'GET', n % 2 === 0 ? `/api/v1/toolsets/${'a'.repeat(8_000)}` : '/api/v1/toolsets/%zz', {
            from: `127.0.0.${2 + (n % 2)}`,
            signal,
          }),
        signal,
      ),
  },
  {
    name: 'answer-cache',
    about: 'pages of a long list after keys that do not exist, with a Pod token',
    services: Array.from({ length: 500 }, (_, n) => ({
      namespace: `${EVIL}-${n % 8}`,
      name: `s${n}-${'x'.repeat(50)}`,
      labels: { 'app.kubernetes.io/name': 'prometheus' },
      annotations: {
        'kubernaut.io/toolset': 'true',
        'kubernaut.io/toolset-type': 'custom',
        'kubernaut.io/toolset-description': 'd'.repeat(190),
      },
    })),
    run: (stage, signal) =>
      flood(
        8,
        (n) => send(stage, 'GET', `/api/v1/services?limit=500&after=a${n}`, { token: stage.token, signal }),
        signal,
      ),
  },
];
