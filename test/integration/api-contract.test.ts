import { expect, onTestFinished, test } from 'vitest';
import { type Answer, Contract, type Documented } from '../api/contract.ts';
import { waitUntil } from '../cluster/wait.ts';
import { startBackend } from './backend.ts';
import { REVIEWING } from './rights.ts';
import { startServe } from './serve-process.ts';
import { setting } from './setting.ts';

/** A good request for each operation that wants more than its path. */
const GOOD: Readonly<Record<string, { readonly query?: string; readonly body?: unknown }>> = {
  listToolsets: { query: 'enabled=true&healthy=true&limit=5' },
  listServices: { query: 'type=prometheus&limit=5' },
  validateToolset: { body: { kind: 'toolset-json', content: '{"tools":[{}]}' } },
  generateToolset: { body: { services: [] } },
  discover: { query: 'wait=true', body: { force: true } },
};

/** Queries and bodies that are refused. */
const WRONG_QUERIES: Readonly<Record<string, readonly string[]>> = {
  listToolsets: [
    'enabled=yes',
    'healthy=',
    'limit=0',
    'limit=501',
    'after=',
    'colour=red',
    'limit=1&limit=2',
  ],
  listServices: ['namespace=Default', 'type=nothing', 'limit=-1', 'colour=red'],
  discover: ['wait=maybe', 'colour=red'],
};
const WRONG_BODIES: Readonly<Record<string, readonly unknown[]>> = {
  validateToolset: [null, [], {}, { kind: 'colour', content: '' }, { kind: 'overrides', content: 1 }],
  generateToolset: [
    [],
    'x',
    { services: {} },
    { colour: 'red' },
    { services: [{ name: 'a', namespace: 'b', type: 'nothing', endpoint: 'http://a' }] },
  ],
  discover: [[], { force: 'yes' }, { namespaces: ['..'] }],
};

test('every documented operation has the documented responses, for success and failure', async () => {
  const backend = await startBackend();
  const made = await setting({ backendPort: backend.port, clusterRules: REVIEWING });
  await made.prometheus();
  const client = await made.cluster.serviceAccount({ namespace: made.target });
  const token = await made.cluster.token(client);
  const serve = startServe({ ...made.env, DISCOVERY_INTERVAL: '5m', API_ADDRESS: '127.0.0.1:0' });
  const { port } = await serve.logged('the API is served');
  await serve.logged('toolset published');
  const stop = new AbortController();
  onTestFinished(() => stop.abort());

  const ask = (path: string, options: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, {
      signal: stop.signal,
      ...options,
      headers: { authorization: `Bearer ${token}`, ...options.headers },
    });
  const contract = new Contract(await (await ask('/openapi.json')).text());
  const job = (await (await ask('/api/v1/discover', { method: 'POST' })).json()) as { jobId: string };
  const pathOf = ({ path }: Documented, query = ''): string => {
    const filled = path.replace('{name}', `prometheus.${made.watched}`).replace('{id}', job.jobId);
    return query === '' ? filled : `${filled}?${query}`;
  };
  const read = async (answer: Response): Promise<Answer> => {
    const contentType = answer.headers.get('content-type') ?? undefined;
    // Events never end.
    const endless = contentType?.startsWith('text/event-stream') === true;
    if (endless) await answer.body?.cancel();
    return { status: answer.status, contentType, body: endless ? '' : await answer.text() };
  };
  const asked: string[] = [];
  const expectDocumented = async (
    documented: Documented,
    wanted: readonly number[],
    options: RequestInit & { readonly query?: string } = {},
  ): Promise<Response> => {
    const { query, ...rest } = options;
    const answer = await ask(pathOf(documented, query), { method: documented.method, ...rest });
    const got = await read(answer);
    const what = `${documented.method} ${pathOf(documented, query)} ${String(rest.body ?? '').slice(0, 100)}`;
    expect(wanted, `${what}: ${got.body.slice(0, 300)}`).toContain(got.status);
    expect(contract.faults(documented, got), what).toEqual([]);
    expect(answer.headers.get('x-request-id'), what).toMatch(/./);
    asked.push(`${documented.operation.operationId} ${got.status}`);
    return answer;
  };
  const json = (body: unknown): RequestInit => ({
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

  for (const documented of contract.operations) {
    const { method, operation, path } = documented;
    const { operationId } = operation;
    const good = GOOD[operationId] ?? {};
    const probe = /^\/(health|ready)/.test(path);
    const sent = good.body === undefined ? {} : json(good.body);
    const query = good.query ?? '';
    const answer = await expectDocumented(documented, [200, 202], { query, ...sent });

    const etag = answer.headers.get('etag');
    expect(operation.responses[304] !== undefined, operationId).toBe(etag !== null);
    if (etag !== null) {
      // What is known may change between two requests; a version that stands is asked for soon.
      let version = etag;
      await waitUntil(`${operationId} is not modified`, async () => {
        const headers = { 'if-none-match': version };
        const again = await expectDocumented(documented, [200, 304], { query, headers });
        version = again.headers.get('etag') ?? version;
        return again.status === 304;
      });
    }
    if (!probe) {
      await expectDocumented(documented, [401], {
        query,
        ...sent,
        headers: { authorization: 'Bearer nobody' },
      });
      await expectDocumented(documented, [406], {
        query,
        ...sent,
        headers: { ...sent.headers, accept: 'image/png' },
      });
    }
    for (const wrong of WRONG_QUERIES[operationId] ?? [])
      await expectDocumented(documented, [400], { ...sent, query: wrong });
    for (const wrong of WRONG_BODIES[operationId] ?? [])
      await expectDocumented(documented, [400], json(wrong));
    if (method === 'POST') {
      const type = { headers: { 'content-type': 'application/json' } };
      await expectDocumented(documented, [400], { ...type, body: '{"a":' });
      await expectDocumented(documented, [415], { body: '<a/>', headers: { 'content-type': 'text/xml' } });
      await expectDocumented(documented, [413], { ...type, body: JSON.stringify('x'.repeat(1 << 20)) });
      const required = operation.requestBody?.required === true;
      await expectDocumented(documented, required ? [400] : [200, 202]);
    }
    if (path.includes('{'))
      await expectDocumented({ ...documented, path: path.replace(/\{\w+\}/, 'nobody') }, [404]);

    const allowed = method === 'GET' ? 'GET, HEAD, OPTIONS' : 'OPTIONS, POST';
    const options = await ask(pathOf(documented), { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')], path).toEqual([204, allowed]);
    const other = await ask(pathOf(documented), { method: 'PATCH' });
    expect([other.status, other.headers.get('allow')], path).toEqual([405, allowed]);
    expect(contract.faults({ ...documented, operation: problemOf(contract) }, await read(other))).toEqual([]);
    if (method === 'GET' && operationId !== 'followEvents') {
      const shown = async (answer: Response) => [
        answer.status,
        ...['content-type', 'content-length', 'etag', 'cache-control'].map((name) =>
          answer.headers.get(name),
        ),
        (await answer.text()).length === 0 ? 'no body' : 'a body',
      ];
      // A discovery that was asked for above may end in between, and then the two differ.
      await waitUntil(`HEAD of ${path} is as GET`, async () => {
        const head = await shown(await ask(pathOf(documented, query), { method: 'HEAD' }));
        const get = await shown(await ask(pathOf(documented, query)));
        return head.pop() === 'no body' && get.pop() === 'a body' && head.join() === get.join();
      });
    }
  }
  const nowhere = await ask('/api/v1/nowhere');
  expect(nowhere.status).toBe(404);
  const problem = { method: 'GET', path: '/api/v1/nowhere', operation: problemOf(contract) };
  expect(contract.faults(problem, await read(nowhere))).toEqual([]);
  const reached = new Set(asked.map((each) => each.split(' ', 1)[0]));
  expect(reached).toEqual(new Set(contract.operations.map(({ operation }) => operation.operationId)));
});

/** An operation that is none of ours, all of whose answers are problems. */
function problemOf(contract: Contract): Documented['operation'] {
  const { responses } = contract.of('listToolsets').operation;
  const refused = responses[400];
  if (refused === undefined) throw new Error('no problem is documented');
  return { operationId: 'other', responses: { 404: refused, 405: refused } };
}
