import { once } from 'node:events';
import { createServer, type ListenOptions, type Server } from 'node:net';
import { promisify } from 'node:util';

/**
 * Listeners of a server. Node.js accepts one connection of a listener in a turn of the event loop, so with a single one a
 * few connections that come during long turns wait for each other, and a flood fills the kernel's queue. Source: measured
 * with Node.js 24.21.0 and libuv 1.52.1.
 */
const LISTENERS = 8;

/**
 * Lets a server accept several connections in a turn of the event loop: several listeners share its port. Linux divides
 * connections among them; elsewhere the server is not changed.
 */
export function addListeners(server: Server): void {
  if (process.platform !== 'linux') return;
  const listen = server.listen.bind(server) as (options: ListenOptions) => Server;
  const close = server.close.bind(server);
  const count = server.getConnections.bind(server);
  const others: Server[] = [];

  async function start(options: ListenOptions): Promise<void> {
    // Another program that shares the port would get some of our clients.
    if (options.port !== 0) await mustBeFree(options);
    const shared = { ...options, reusePort: true };
    for (let more = 1; more < LISTENERS; more++) {
      const [first] = others;
      const other = forward(server);
      others.push(other);
      other.listen(first === undefined ? shared : { ...shared, port: portOf(first) });
      await once(other, 'listening');
    }
    const [first] = others;
    listen(first === undefined ? options : { ...shared, port: portOf(first) });
  }

  server.listen = ((options: ListenOptions) => {
    start(options).catch((error: unknown) => {
      for (const other of others.splice(0)) other.close();
      server.emit('error', error);
    });
    return server;
  }) as Server['listen'];
  server.getConnections = (done) => {
    const counts = [count, ...others.map((other) => other.getConnections.bind(other))].map(promisify);
    Promise.all(counts.map((each) => each())).then(
      (all) =>
        done(
          null,
          all.reduce((sum, each) => sum + each, 0),
        ),
      (error: Error) => done(error, 0),
    );
    return server;
  };
  server.close = (done) => {
    const closed = others.splice(0).map((other) => new Promise((resolve) => other.close(resolve)));
    return close((error) => void Promise.all(closed).then(() => done?.(error)));
  };
}

/** @throws Error if a port is in use, also by a program that shares it */
async function mustBeFree(options: ListenOptions): Promise<void> {
  const trial = createServer().listen(options);
  await once(trial, 'listening');
  trial.close();
  await once(trial, 'close');
}

/** A listener whose connections a server gets. */
function forward(server: Server): Server {
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    server.emit('connection', socket);
  });
  listener.maxConnections = server.maxConnections;
  // A connection that cannot be accepted, because there are too many files, must not end the process.
  listener.on('error', () => {});
  listener.on('drop', (drop) => server.emit('drop', drop));
  return listener;
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
