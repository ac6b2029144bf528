/** Attacks by connections that do nothing, or almost nothing. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, Stage } from './attack.ts';

/** Connections that are opened at once; more overflow the accept queue of the kernel. */
const AT_ONCE = 250;

/**
 * Opens this many connections, to the API port and the health port in turn, from several addresses, and keeps them open
 * until the signal is aborted.
 */
async function hold(
  { port, healthPort }: Stage,
  many: number,
  addresses: number,
  begin: (socket: Socket) => void,
  signal: AbortSignal,
): Promise<void> {
  const sockets = new Set<Socket>();
  try {
    for (let n = 0; !signal.aborted; n++) {
      if (sockets.size < many) {
        const localAddress = `127.0.1.${1 + (Math.floor(n / 2) % addresses)}`;
        // `allowHalfOpen`: a peer that never closes its side, whatever the server does.
        const to = n % 2 === 0 ? port : healthPort;
        const socket = connect({ host: '127.0.0.1', port: to, localAddress, allowHalfOpen: true });
        socket.on('error', () => {});
        socket.on('close', () => sockets.delete(socket));
        socket.on('connect', () => begin(socket));
        sockets.add(socket);
      }
      if (n % AT_ONCE === 0 || sockets.size >= many) await sleep(25);
    }
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** Sends one byte per second until the connection closes. */
function drip(socket: Socket): void {
  socket.write('POST /api/v1/toolsets/validate HTTP/1.1\r\nHost: x\r\nX-Slow: ');
  const timer = setInterval(() => socket.write('a'), 1_000);
  socket.on('close', () => clearInterval(timer));
}

/** Writes a text again and again, 64 KiB at once, as fast as the server reads it, and reads nothing. */
function pour(socket: Socket, first: string, text: string): void {
  const more = text.repeat(Math.ceil(65_536 / text.length));
  socket.on('drain', () => socket.write(more));
  socket.write(first + more);
}

export const SOCKETS: readonly Attack[] = [
  {
    name: 'idle-one-address',
    about: '1,200 connections from one address that send nothing',
    run: (stage, signal) => hold(stage, 1_200, 1, () => {}, signal),
  },
  {
    name: 'idle-10000',
    about: '10,000 connections from 200 addresses that send nothing',
    run: (stage, signal) => hold(stage, 10_000, 200, () => {}, signal),
  },
  {
    name: 'slow-headers',
    about: '900 connections from 20 addresses that send a byte of a header each second',
    run: (stage, signal) => hold(stage, 900, 20, drip, signal),
  },
  {
    name: 'pipelining',
    about: '600 connections from 30 addresses that send requests without waiting for the responses',
    run: (stage, signal) =>
      hold(stage, 600, 30, (socket) => pour(socket, '', 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n'), signal),
  },
  {
    name: 'chunked-bodies',
    about: '600 connections from 30 addresses that send bodies in chunks of one byte',
    run: (stage, signal) =>
      hold(
        stage,
        600,
        30,
        (socket) =>
          pour(
            socket,
            'POST /api/v1/toolsets/validate HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n',
            '1\r\na\r\n',
          ),
        signal,
      ),
  },
];
