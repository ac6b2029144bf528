import { once } from 'node:events';
import { get } from 'node:http';
import { connect, createServer } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from './app.ts';
import { addListeners } from './listeners.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };

/** An app whose requests wait until `answer` is called. */
function waitingApp() {
  const app: FastifyInstance = fastify();
  addListeners(app.server);
  const { promise, resolve } = Promise.withResolvers<void>();
  let waiting = 0;
  app.get('/', async () => {
    waiting++;
    await promise;
    return { ok: true };
  });
  onTestFinished(() => {
    resolve();
    return app.close();
  });
  return { app, answer: resolve, waiting: () => waiting };
}

/** The status of a response on a connection of its own. */
async function statusOf(port: number): Promise<number | undefined> {
  const [response] = await once(get({ ...LOCAL, port, agent: false }), 'response');
  response.resume();
  return response.statusCode;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.runIf(process.platform === 'linux')(
  'accepts several connections in one turn of the event loop',
  async () => {
    const { app } = waitingApp();
    const port = await listen(app, LOCAL);
    let accepted = 0;
    app.server.on('connection', () => accepted++);
    const sockets = Array.from({ length: 40 }, () => connect(port, LOCAL.host));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
    });
    const perTurn: number[] = [];
    for (let seen = 0; seen < 40; ) {
      await turn();
      perTurn.push(accepted - seen);
      seen = accepted;
    }
    expect(Math.max(...perTurn)).toBeGreaterThan(2);
  },
);

test('a request is answered whichever listener has its connection, also while the app closes', async () => {
  const { app, answer, waiting } = waitingApp();
  const port = await listen(app, LOCAL);
  const responses = Array.from({ length: 40 }, () => statusOf(port));
  while (waiting() < 40) await turn();
  const closed = app.close();
  await turn();
  answer();
  expect(await Promise.all(responses)).toEqual(Array(40).fill(200));
  await closed;
  await expect(statusOf(port)).rejects.toThrow('ECONNREFUSED');
});

test('the port is free after the app has closed, and can be used again', async () => {
  const { app } = waitingApp();
  const port = await listen(app, LOCAL);
  await app.close();
  expect(await listen(waitingApp().app, { ...LOCAL, port })).toBe(port);
});

test('a port in use is an error, also if its program shares it with others', async () => {
  const other = createServer().listen(0, LOCAL.host);
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  await expect(listen(waitingApp().app, { ...LOCAL, port })).rejects.toThrow('EADDRINUSE');
  const shared = await listen(waitingApp().app, LOCAL);
  await expect(listen(waitingApp().app, { ...LOCAL, port: shared })).rejects.toThrow('EADDRINUSE');
});
