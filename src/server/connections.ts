import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DropArgument, Server, Socket } from 'node:net';
import type { DropReason } from '../telemetry/api-metrics.ts';
import { addressKey } from './address-key.ts';

export interface ConnectionLimits {
  /** Most connections at a time. */
  readonly total: number;
  /** Most of them from one address; of IPv6, from one network of 64 bits. */
  readonly perAddress: () => number;
}

/** Called for each connection that is closed for a limit. `address` is the group that is counted together. */
export type Dropped = (reason: DropReason, address: string) => void;

interface Connection {
  readonly key: string;
  readonly socket: Socket;
  readonly address: string;
  /** A request of it was let in. */
  trusted: boolean;
  /** Requests that are being answered. */
  busy: number;
}

/** One connection of a server; inside and outside of TLS it is the same. */
const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/**
 * The connections of one server, shared fairly: an address has no more than its limit, and when there are too many in all,
 * a new one takes the place of one of the address that has the most. So idle connections, however many, keep out no
 * address that has few.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #dropped: Dropped;
  readonly #all = new Map<string, Connection>();
  readonly #addresses = new Map<string, Set<Connection>>();

  constructor(limits: ConnectionLimits, dropped: Dropped) {
    this.#limits = limits;
    this.#dropped = dropped;
  }

  get size(): number {
    return this.#all.size;
  }

  /** Watches over the connections of a server of HTTP or HTTPS. */
  guard(server: Server): void {
    // The last resort, since Node.js then closes connections without a choice. A new connection of ours is closed a
    // moment after it is counted there, so bursts need room.
    server.maxConnections = this.#limits.total * 2;
    server.on('drop', (drop?: DropArgument) =>
      this.#dropped('total', addressKey(drop?.remoteAddress ?? 'unknown')),
    );
    server.prependListener('connection', (socket) => this.add(socket));
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      const connection = this.#all.get(keyOf(socket));
      if (connection === undefined) return;
      connection.busy++;
      response.once('close', () => {
        connection.busy--;
      });
    });
  }

  /** Marks a connection: a request on it was let in, so it gives way last. */
  trust(socket: Socket): void {
    const connection = this.#all.get(keyOf(socket));
    if (connection !== undefined) connection.trusted = true;
  }

  /** Counts a new connection, or closes it or another one. */
  add(socket: Socket): void {
    const address = addressKey(socket.remoteAddress ?? 'unknown');
    const same = this.#addresses.get(address) ?? new Set<Connection>();
    if (same.size >= this.#limits.perAddress()) {
      this.#drop(socket, 'address', address);
      return;
    }
    if (this.#all.size >= this.#limits.total && !this.#makeRoom(same.size)) {
      this.#drop(socket, 'total', address);
      return;
    }
    const key = keyOf(socket);
    const connection: Connection = { key, socket, address, trusted: false, busy: 0 };
    this.#all.set(key, connection);
    same.add(connection);
    this.#addresses.set(address, same);
    socket.once('close', () => this.#remove(connection));
  }

  #remove(connection: Connection): void {
    const { key, address } = connection;
    if (this.#all.get(key) === connection) this.#all.delete(key);
    const same = this.#addresses.get(address);
    same?.delete(connection);
    if (same?.size === 0) this.#addresses.delete(address);
  }

  /**
   * Closes a connection of the address that has the most: one that was not let in, whatever it does, else one that is idle.
   * @param fewer how many the newcomer's address has; no address with as few gives way
   */
  #makeRoom(fewer: number): boolean {
    const victim =
      this.#ofTheMost(fewer, ({ trusted }) => !trusted) ?? this.#ofTheMost(fewer, ({ busy }) => busy === 0);
    if (victim === undefined) return false;
    this.#remove(victim);
    victim.socket.destroy();
    this.#dropped('displaced', victim.address);
    return true;
  }

  #ofTheMost(fewer: number, wanted: (connection: Connection) => boolean): Connection | undefined {
    let most = fewer;
    let found: Connection | undefined;
    for (const connections of this.#addresses.values()) {
      if (connections.size <= most) continue;
      const first = [...connections].find(wanted);
      if (first === undefined) continue;
      most = connections.size;
      found = first;
    }
    return found;
  }

  #drop(socket: Socket, reason: DropReason, address: string): void {
    // The server of HTTP or TLS takes the socket over next, and does not expect that it is destroyed by then.
    setImmediate(() => socket.destroy());
    this.#dropped(reason, address);
  }
}
