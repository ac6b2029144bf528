import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';
import { inProcess } from './in-process.ts';
import { patiently } from './patiently.ts';

const GENERATE = '/api/v1/toolsets/generate';
const DISCOVER = '/api/v1/discover?wait=true';
const LOKI = { name: 'loki', namespace: 'shop', type: 'loki', endpoint: 'http://loki.shop:3100' };
const poster = (app: FastifyInstance) => (url: string, payload: unknown) =>
  app.inject({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json' },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });

const WRONG: readonly (readonly [url: string, body: unknown, detail: string])[] = [
  [GENERATE, 'no JSON', 'JSON'],
  [GENERATE, [], 'the body must be an object'],
  [GENERATE, { service: [] }, '/service is not known here'],
  [GENERATE, { services: {} }, '/services must be an array'],
  [GENERATE, { services: [{ ...LOKI, name: 'Loki_1' }] }, '/services/0/name must be a name of Kubernetes'],
  [GENERATE, { services: [{ ...LOKI, endpoint: 'loki' }] }, '/services/0/endpoint must be a URL'],
  [GENERATE, { services: [{ ...LOKI, type: 'lokii' }] }, 'has an unknown type'],
  [GENERATE, { services: [{ name: 'a', namespace: 'b', type: 'loki' }] }, '/services/0/endpoint is missing'],
  [GENERATE, { services: [{ ...LOKI, endpoint: 'http://loki.shop:99999' }] }, 'cannot be called'],
  [GENERATE, { services: [{ ...LOKI, endpoint: 'http://loki.shop:0' }] }, 'cannot be called'],
  [DISCOVER, { namespaces: 'shop' }, '/namespaces must be an array'],
  [DISCOVER, { force: 'yes' }, '/force must be true or false'],
];

test('the response to each invalid body names the place and the error', async () => {
  const post = poster((await inProcess()).app);
  for (const [url, body, detail] of WRONG) {
    const answer = await post(url, body);
    expect([answer.statusCode, answer.json().detail]).toEqual([400, expect.stringContaining(detail)]);
    expect(answer.body).not.toMatch(/anyOf|must be null/);
  }
});

test('a rejected endpoint is reported with its Service', async () => {
  const post = poster((await inProcess()).app);
  const endpoint = 'http://user:secret@loki.shop:3100';
  const { notes, documents } = (await post(GENERATE, { services: [{ ...LOKI, endpoint }] })).json();
  expect(documents['toolset.json']).not.toContain('loki');
  expect(notes).toContainEqual(
    expect.objectContaining({
      where: 'Service shop/loki',
      what: expect.stringContaining('carries credentials'),
    }),
  );
});

test('the body of a second request is not read while the first one of the client is in progress', async () => {
  const post = poster((await inProcess()).app);
  const services = Array.from({ length: 400 }, (_, index) => ({ ...LOKI, name: `loki-${index}` }));
  const first = post(GENERATE, { services });
  const answers: [number, string][] = [];
  while (answers.every(([status]) => status !== 429) && answers.length < 50) {
    const answer = await post(GENERATE, 'x'.repeat(10_000));
    answers.push([answer.statusCode, answer.json().detail]);
  }
  expect(answers.at(-1)).toEqual([429, expect.stringContaining('send one at a time')]);
  expect((await first).statusCode).toBe(200);
  // Once it has ended, the body is read.
  expect((await post(GENERATE, 'x'.repeat(10_000))).statusCode).toBe(400);
});

test('no body causes an internal error', async () => {
  const post = poster((await inProcess()).app);
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.constantFrom('loki', 'shop', 'a'));
  const port = fc.oneof(
    fc.constantFrom('', ':0', ':70000', ':99999999', ':3100', ':'),
    fc.string({ maxLength: 5 }),
  );
  const host = fc.oneof(
    text,
    fc.constantFrom('[::1]', '[::', '127.1', 'loki.shop.', '%', 'a..b', 'x'.repeat(300)),
  );
  const endpoint = fc
    .tuple(fc.constantFrom('http', 'https', 'ftp'), host, port, text)
    .map(([scheme, name, at, path]) => `${scheme}://${name}${at}/${path}`);
  const name = fc.oneof(text, fc.constantFrom('constructor', 'a', '0', 'x'.repeat(63)));
  const service = fc.record(
    {
      name,
      namespace: name,
      type: fc.oneof(text, fc.constantFrom('loki', 'mcp', 'custom', 'kafka')),
      endpoint,
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(fc.record({ services: fc.array(service, { maxLength: 4 }) }), fc.jsonValue());
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(GENERATE, DISCOVER.replace('?wait=true', '')),
      body,
      async (url, given) => {
        const { statusCode } = await post(url, given);
        seen.add(statusCode);
        // 429: four discoveries of a client at a time.
        expect([200, 202, 400, 415, 429]).toContain(statusCode);
      },
    ),
    { numRuns: 400 },
  );
  expect(seen).toContain(400);
});

test('only the first fault of a large body is reported, at linear cost', async () => {
  const post = poster((await inProcess()).app);
  const kinds = [
    JSON.stringify({ services: Array.from({ length: 80_000 }, () => ({})) }),
    JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 1]))),
    `{"services":${'['.repeat(60_000)}${']'.repeat(60_000)}}`,
  ];
  for (const payload of kinds) {
    const answer = await patiently(() => post(GENERATE, payload));
    expect(answer.statusCode).toBe(400);
    expect(answer.json().errors).toHaveLength(1);
  }
  const few = await post(GENERATE, { services: [{}, {}] });
  expect(few.json().errors).toHaveLength(8);
  expect((await post(GENERATE, `"${'x'.repeat(256 * 1024)}"`)).statusCode).toBe(413);
});

test('endless bodies use no more memory than the budget', async () => {
  const { app } = await inProcess();
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const sockets: Socket[] = [];
  const send = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          `POST ${GENERATE} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 200000\r\n\r\n`,
        );
        socket.write('x'.repeat(199_000));
      });
      sockets.push(socket);
      let said = '';
      const over = setTimeout(() => resolve(said), 1_000);
      socket.on('data', (data) => {
        said += data;
        clearTimeout(over);
        resolve(said);
      });
    });
  const answers = await Promise.all([1, 2, 3, 4].map(send));
  const refused = answers.filter((said) => said.startsWith('HTTP/1.1 429'));
  expect(refused).toHaveLength(2);
  for (const socket of sockets) socket.destroy();
  await sleep(200);
  expect((await poster(app)(GENERATE, { services: [] })).statusCode).toBe(200);
});
