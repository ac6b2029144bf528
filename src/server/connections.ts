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
  /** Its number in the order of arrival. */
  readonly age: number;
  /** A request of it was let in. */
  trusted: boolean;
  /** It has sent a complete request. */
  asked: boolean;
  /** Requests that are being answered. */
  busy: number;
}

/** One connection of a server; inside and outside of TLS it is the same. */
const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** Whether one connection gives way before another: first those that never sent a request, then by age. */
const goesBefore = (a: Connection, b: Connection): boolean => (a.asked === b.asked ? a.age < b.age : b.asked);

/** @param connections in the order of arrival */
function firstToGo(
  connections: Iterable<Connection>,
  wanted: (connection: Connection) => boolean,
): Connection | undefined {
  let found: Connection | undefined;
  for (const connection of connections) {
    if (!wanted(connection)) continue;
    if (!connection.asked) return connection;
    found ??= connection;
  }
  return found;
}

/**
 * The connections of one server, shared fairly: an address has no more than its limit, and when there are too many in all,
 * a new one takes the place of one of the address that has the most. Of addresses that have as many as each other, the
 * oldest connection that never sent a request gives way, so silent ones, from however many addresses, keep out nobody who
 * sends a request at once.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #dropped: Dropped;
  readonly #all = new Map<string, Connection>();
  readonly #addresses = new Map<string, Set<Connection>>();
  #added = 0;

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
      connection.asked = true;
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
    const connection: Connection = {
      key,
      socket,
      address,
      age: this.#added++,
      trusted: false,
      asked: false,
      busy: 0,
    };
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
   * Closes a connection of the address that has the most: one that was not let in, else one that is idle.
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
    let most = fewer + 1;
    let found: Connection | undefined;
    for (const connections of this.#addresses.values()) {
      if (connections.size < most) continue;
      const first = firstToGo(connections, wanted);
      if (first === undefined) continue;
      if (connections.size > most || found === undefined || goesBefore(first, found)) found = first;
      most = connections.size;
    }
    return found;
  }

  #drop(socket: Socket, reason: DropReason, address: string): void {
    // The server of HTTP or TLS takes the socket over next, and does not expect that it is destroyed by then.
    setImmediate(() => socket.destroy());
    this.#dropped(reason, address);
  }
}
