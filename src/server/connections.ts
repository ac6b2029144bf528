import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DropArgument, Server, Socket } from 'node:net';
import type { DropReason } from '../telemetry/api-metrics.ts';
import { addressKey } from './address-key.ts';

export interface ConnectionLimits {
  /** Maximum number of connections. */
  readonly total: number;
  /** Maximum per IPv4 address, or per IPv6 /64 network. */
  readonly perAddress: () => number;
}

/** Called for each connection that a limit closes. `address` is the key of the limit. */
export type Dropped = (reason: DropReason, address: string) => void;

interface Connection {
  readonly key: string;
  readonly socket: Socket;
  readonly address: string;
  /** Sequence number. */
  readonly age: number;
  /** A request on it was admitted. */
  trusted: boolean;
  /** It has sent a complete request. */
  asked: boolean;
  /** Number of requests in progress. */
  busy: number;
}

/** Identifies a connection. The raw socket and the TLS socket of a connection have the same key. */
const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/** Whether one connection is closed before another: first those that never sent a request, then by age. */
const closesBefore = (a: Connection, b: Connection): boolean =>
  a.asked === b.asked ? a.age < b.age : b.asked;

/** @param connections in order of arrival */
function firstToClose(
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
 * Shares the connections of one server fairly. An address has at most its limit: above it, a new connection replaces the oldest one
 * that is neither authenticated nor in use, if there is one. When the server is full, a new connection
 * replaces one of the address with the most connections. Among addresses with equally many, the oldest connection that never
 * sent a request is closed, so silent connections from many addresses cannot lock out clients that send a request at once.
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

  /** Limits the connections of an HTTP or HTTPS server. */
  guard(server: Server): void {
    // A backstop only, since Node.js then closes arbitrary connections. It counts a connection shortly after we close it, so
    // bursts need room.
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

  /** Marks the connection of an admitted request, which is closed last. */
  trust(socket: Socket): void {
    const connection = this.#all.get(keyOf(socket));
    if (connection !== undefined) connection.trusted = true;
  }

  /** Counts a new connection, or closes it or another one. */
  add(socket: Socket): void {
    const address = addressKey(socket.remoteAddress ?? 'unknown');
    const same = this.#addresses.get(address) ?? new Set<Connection>();
    if (same.size >= this.#limits.perAddress() && !this.#makeRoomIn(same)) {
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
   * Closes the oldest idle connection of an address. The new one may be a kubelet probe: a tenant's connections can come from
   * the node's address too, for example through a NodePort.
   */
  #makeRoomIn(same: ReadonlySet<Connection>): boolean {
    const victim = firstToClose(same, ({ trusted, busy }) => !trusted && busy === 0);
    if (victim === undefined) return false;
    this.#close(victim, 'address');
    return true;
  }

  #close(victim: Connection, reason: DropReason): void {
    this.#remove(victim);
    victim.socket.destroy();
    this.#dropped(reason, victim.address);
  }

  /**
   * Closes a connection of the address with the most: one that was not admitted, otherwise an idle one.
   * @param fewer number of connections of the new one's address; addresses with as few are not affected
   */
  #makeRoom(fewer: number): boolean {
    const victim =
      this.#ofTheMost(fewer, ({ trusted }) => !trusted) ?? this.#ofTheMost(fewer, ({ busy }) => busy === 0);
    if (victim === undefined) return false;
    this.#close(victim, 'displaced');
    return true;
  }

  #ofTheMost(fewer: number, wanted: (connection: Connection) => boolean): Connection | undefined {
    let most = fewer + 1;
    let found: Connection | undefined;
    for (const connections of this.#addresses.values()) {
      if (connections.size < most) continue;
      const first = firstToClose(connections, wanted);
      if (first === undefined) continue;
      if (connections.size > most || found === undefined || closesBefore(first, found)) found = first;
      most = connections.size;
    }
    return found;
  }

  #drop(socket: Socket, reason: DropReason, address: string): void {
    // The HTTP or TLS server takes over the socket next, and does not expect a destroyed one.
    setImmediate(() => socket.destroy());
    this.#dropped(reason, address);
  }
}
