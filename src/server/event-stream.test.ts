import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { observed } from '../../test/fixtures/unit/toolset.ts';
import { ReadModel } from '../controller/read-model.ts';
import { createLogger } from '../telemetry/logger.ts';
import { createApp, listen } from './app.ts';
import { shareSchemas } from './described.ts';
import type { StreamLimits } from './event-listeners.ts';
import { eventStream, LIMITS } from './event-stream.ts';

/** A server of events, and clients of it over real sockets. */
async function setting(
  limits: Partial<StreamLimits> = {},
  permitted: () => Promise<boolean> = async () => true,
) {
  const readModel = new ReadModel({ now: () => new Date(0) });
  const { log } = createLogger({ logLevel: 'error', logFormat: 'json' }, new PassThrough().resume());
  const routes = eventStream('/events', readModel, permitted, { ...LIMITS, ...limits });
  const app = await createApp({
    log,
    component: 'api_server',
    answered: () => {},
    routes(server) {
      shareSchemas(server);
      return server.register(routes);
    },
  });
  const port = await listen(app, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => app.close());
  const client = (method = 'GET', localAddress = '127.0.0.1'): Socket => {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {}).write(`${method} /events HTTP/1.1\r\nhost: x\r\n\r\n`);
    return socket;
  };
  return { app, readModel, client };
}

/** Reads until a text arrives. @returns everything received until then */
async function heard(socket: Socket, text: string): Promise<string> {
  let all = '';
  while (!all.includes(text)) all += String((await once(socket, 'data'))[0]);
  return all;
}

/** Another version of the published toolset: a change that is sent. */
const publish = (readModel: ReadModel, version: string): void =>
  readModel.apply({
    kind: 'observed',
    live: observed({ data: {}, labels: {}, annotations: {}, managers: [], version }),
  });

test('sends the state at once, and after each change; events without changes are not sent', async () => {
  const { readModel, client } = await setting();
  const socket = client();
  const first = await heard(socket, 'lastDiscovery');
  expect(first).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(first).toContain('content-type: text/event-stream');
  expect(first).toContain(
    'id: 1\nevent: state\ndata: {"cycle":0,"backends":0,"healthy":0,"configMapVersion":null',
  );
  publish(readModel, '7');
  publish(readModel, '7');
  publish(readModel, '8');
  const more = await heard(socket, '"8"');
  expect(more.match(/id: \d+/g)).toEqual(['id: 2', 'id: 3']);
});

test('sends heartbeats', async () => {
  const { client } = await setting({ heartbeat: 20 });
  expect(await heard(client(), ': still here\n\n')).toContain('event: state');
});

test('above the limit, a stream of a client with fewer replaces one of the client with the most', async () => {
  const { client } = await setting({ listeners: 4, perClient: 3 });
  const from = (address: string): Socket => client('GET', address);
  const greedy = [from('127.0.0.2'), from('127.0.0.2'), from('127.0.0.2')];
  for (const socket of greedy) await heard(socket, 'event: state');
  await heard(from('127.0.0.3'), 'event: state');
  const ended = Promise.race(greedy.map(async (socket) => await once(socket.resume(), 'end')));
  await heard(from('127.0.0.4'), 'event: state');
  await ended;
  // Nobody has two more than a client that comes back has already.
  expect(await heard(from('127.0.0.3'), '}')).toMatch(/^HTTP\/1.1 503/);
});

test('the number of clients is limited, and a closed one makes room; HEAD takes none', async () => {
  const { client } = await setting({ listeners: 1 });
  expect(await heard(client('HEAD'), '\r\n\r\n')).toMatch(/^HTTP\/1.1 200 OK/);
  const first = client();
  await heard(first, 'event: state');
  const refused = await heard(client(), '}');
  expect(refused).toMatch(/^HTTP\/1.1 503 /);
  expect(refused).toMatch(/\r\nretry-after: 30\r\n/);
  first.destroy();
  await expect.poll(async () => await heard(client(), '\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
});

test('one client has at most its share of streams, even if there is room for others', async () => {
  const { client } = await setting({ perClient: 2 });
  for (let n = 0; n < 2; n++) await heard(client(), 'event: state');
  const refused = await heard(client(), '}');
  expect(refused).toMatch(/^HTTP\/1.1 503 /);
  expect(refused).toContain('has 2 event streams already');
});

const DENIALS: readonly [string, () => Promise<boolean>][] = [
  ['its token is no longer valid', () => Promise.resolve(false)],
  ['its token cannot be reviewed', () => Promise.reject(new Error('no API server'))],
];

test.for(DENIALS)('a stream ends when %s', async ([, denied]) => {
  let reviewed = 0;
  const rights: { review: () => Promise<boolean> } = {
    async review() {
      reviewed++;
      return true;
    },
  };
  const { client } = await setting({ review: 10 }, () => rights.review());
  const socket = client();
  await heard(socket, 'event: state');
  await expect.poll(() => reviewed).toBeGreaterThan(2);
  expect(socket.readableEnded).toBe(false);
  // The last chunk ends the answer. The connection may go on.
  const ended = heard(socket, '0\r\n\r\n');
  rights.review = denied;
  await ended;
});

test('a client that does not read is disconnected, and the others get everything', async () => {
  const { readModel, client } = await setting();
  const deaf = client();
  await heard(deaf, 'event: state');
  deaf.pause();
  const other = client();
  await heard(other, 'event: state');
  other.resume();
  const closed = once(deaf, 'close');
  // What the systems of both sides hold for the deaf one is not known; in the end it is full.
  for (let step = 0; step < 400; step++) {
    publish(readModel, `${step} ${'x'.repeat(60_000)}`);
    await new Promise(setImmediate);
  }
  deaf.resume();
  await closed;
  const last = heard(other, '"the last"');
  publish(readModel, 'the last');
  expect(await last).toContain('event: state');
});
