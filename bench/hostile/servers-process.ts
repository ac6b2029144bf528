/** The process that plays hostile servers, so that their work is not counted as the program's. One port for each kind. */
import { createServer, type Socket } from 'node:net';

/** Calls an action until it says that the peer is gone or full, again when there is room. */
function pour(socket: Socket, chunk: () => string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(chunk())) if (socket.writableLength > 65_536) break;
  };
  socket.on('drain', more);
  more();
}

/** Writes single pieces, each in a packet of its own, as fast as the peer takes them. */
function trickle(socket: Socket, pieces: Iterable<string>): void {
  socket.setNoDelay(true);
  const iterator = pieces[Symbol.iterator]();
  const next = (): void => {
    if (socket.destroyed) return;
    const { value, done } = iterator.next();
    if (done === true) return;
    socket.write(value);
    setImmediate(next);
  };
  next();
}

const chunked = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';

function* characters(text: string, wrap: (character: string) => string): Generator<string> {
  for (const character of text) yield wrap(character);
}

/** What each hostile server does once a request came. */
const SERVERS: Readonly<Record<string, (socket: Socket) => void>> = {
  informational: (socket) => pour(socket, () => 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100)),
  'tiny-chunks': (socket) => {
    socket.write(STREAM);
    trickle(socket, characters('data:{\n\n'.repeat(8_000), chunked));
  },
  'junk-events': (socket) => {
    socket.write(STREAM);
    socket.write(chunked('data:{\n\n'.repeat(7_500)));
    trickle(socket, characters('x'.repeat(64_000), chunked));
  },
  drip: (socket) => {
    socket.write(STREAM);
    trickle(
      socket,
      characters('data: {"jsonrpc"'.repeat(4_000), (character) => chunked(character)),
    );
  },
  'chunk-extensions': (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n');
    pour(socket, () => `1;${'x=y;'.repeat(2_000)}\r\n{\r\n`);
  },
  headers: (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n');
    pour(socket, () => `X-${'h'.repeat(1_000)}: ${'v'.repeat(1_000)}\r\n`);
  },
  endless: (socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n');
    pour(socket, () => '['.repeat(16_384));
  },
  silent: () => {},
};

const ports: Record<string, number> = {};
for (const [name, answer] of Object.entries(SERVERS)) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4_096, resolve));
  ports[name] = (server.address() as { readonly port: number }).port;
}
process.on('disconnect', () => process.exit());
process.send?.(ports);
