import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Pod, PodPort } from './case.ts';

/** The first byte of a TLS handshake. */
const HANDSHAKE = 0x16;
/** What Go's servers write to those who begin without one. */
const NOT_TLS = 'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n';

/** A certificate with its key, in PEM. */
export interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
}

/** A Pod that runs: its address, and its servers. */
export interface ServedPod {
  readonly pod: Pod;
  readonly address: string;
  close(): void;
}

type CertificateOf = (kind: NonNullable<PodPort['tls']>) => Certificate;

function serverOf({ serves, tls }: PodPort, certificateOf: CertificateOf): Server | undefined {
  if (serves === undefined || tls === undefined)
    return serves === undefined ? undefined : createServer(serves);
  const { certPem, keyPem } = certificateOf(tls);
  const secure = createTlsServer({ cert: certPem, key: keyPem }, serves);
  return createTcpServer((socket) => {
    socket.once('data', (start: Buffer) => {
      if (start[0] !== HANDSHAKE) return void socket.end(NOT_TLS);
      socket.pause().unshift(start);
      secure.emit('connection', socket);
    });
  });
}

/** Starts what a Pod's containers serve, at an address of its own. */
export async function servePod(pod: Pod, address: string, certificateOf: CertificateOf): Promise<ServedPod> {
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  for (const port of pod.ports) {
    const server = serverOf(port, certificateOf);
    if (server === undefined) continue;
    server.on('connection', (socket: Socket) => {
      sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {}));
    });
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(port.number, address, resolve),
    );
    servers.push(server);
  }
  return {
    pod,
    address,
    close() {
      for (const server of servers) server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
