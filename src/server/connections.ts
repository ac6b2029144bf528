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
  /** The client whose request on it was admitted; undefined: none was. */
  client: string | undefined;
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

/** The connections of one address, in order of arrival. */
class Address {
  readonly connections = new Set<Connection>();
  /** Number of those on which no request was admitted. */
  untrusted = 0;

  get size(): number {
    return this.connections.size;
  }
}

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
 * replaces one of the address with the most connections that are not authenticated. Among addresses with equally many, the
 * oldest connection that never sent a request is closed, so silent connections from many addresses cannot lock out clients that
 * send a request at once. Authenticated ones are replaced only if they take more than half of the server: those of the client
 * with the most, whatever its addresses.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #dropped: Dropped;
  readonly #all = new Map<string, Connection>();
  readonly #addresses = new Map<string, Address>();
  /** Those with admitted requests, by client. */
  readonly #clients = new Map<string, Set<Connection>>();
  #trusted = 0;
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

  /** Marks the connection of a client's admitted request, which is closed last. */
  trust(socket: Socket, client: string): void {
    const connection = this.#all.get(keyOf(socket));
    if (connection === undefined || connection.client !== undefined) return;
    connection.client = client;
    this.#trusted++;
    const others = this.#clients.get(client) ?? new Set();
    this.#clients.set(client, others.add(connection));
    const same = this.#addresses.get(connection.address);
    if (same !== undefined) same.untrusted--;
  }

  /** Counts a new connection, or closes it or another one. */
  add(socket: Socket): void {
    const address = addressKey(socket.remoteAddress ?? 'unknown');
    const same = this.#addresses.get(address) ?? new Address();
    if (same.size >= this.#limits.perAddress() && !this.#makeRoomIn(same)) {
      this.#drop(socket, 'address', address);
      return;
    }
    if (this.#all.size >= this.#limits.total && !this.#makeRoom(same)) {
      this.#drop(socket, 'total', address);
      return;
    }
    const key = keyOf(socket);
    const connection: Connection = {
      key,
      socket,
      address,
      age: this.#added++,
      client: undefined,
      asked: false,
      busy: 0,
    };
    this.#all.set(key, connection);
    same.connections.add(connection);
    same.untrusted++;
    this.#addresses.set(address, same);
    socket.once('close', () => this.#remove(connection));
  }

  #remove(connection: Connection): void {
    const { key, address } = connection;
    if (this.#all.get(key) === connection) this.#all.delete(key);
    const same = this.#addresses.get(address);
    if (same?.connections.delete(connection) !== true) return;
    const { client } = connection;
    if (client === undefined) same.untrusted--;
    else {
      this.#trusted--;
      const others = this.#clients.get(client);
      others?.delete(connection);
      if (others?.size === 0) this.#clients.delete(client);
    }
    if (same.size === 0) this.#addresses.delete(address);
  }

  /**
   * Closes the oldest idle connection of an address. The new one may be a kubelet probe: a tenant's connections can come from
   * the node's address too, for example through a NodePort.
   */
  #makeRoomIn({ connections }: Address): boolean {
    const victim = firstToClose(connections, ({ client, busy }) => client === undefined && busy === 0);
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
   * Closes a connection without an admitted request, of the address with the most of them; otherwise an idle one of the client
   * with the most, if the admitted ones are too many.
   * @param own the address of the new one; addresses with as few are not affected
   */
  #makeRoom(own: Address): boolean {
    const isCrowded = this.#trusted * 2 > this.#limits.total;
    const victim = this.#strangerOfTheMost(own) ?? (isCrowded ? this.#idleOfTheMost() : undefined);
    if (victim === undefined) return false;
    this.#close(victim, 'displaced');
    return true;
  }

  #strangerOfTheMost(own: Address): Connection | undefined {
    let most = own.untrusted + 1;
    let found: Connection | undefined;
    for (const { connections, untrusted } of this.#addresses.values()) {
      if (untrusted < most) continue;
      const first = firstToClose(connections, ({ client }) => client === undefined);
      if (first === undefined) continue;
      if (untrusted > most || found === undefined || closesBefore(first, found)) found = first;
      most = untrusted;
    }
    return found;
  }

  /** A client can have many addresses, so these do not count. */
  #idleOfTheMost(): Connection | undefined {
    let most = 1;
    let found: Connection | undefined;
    for (const connections of this.#clients.values()) {
      if (connections.size <= most) continue;
      const first = firstToClose(connections, ({ busy }) => busy === 0);
      if (first === undefined) continue;
      most = connections.size;
      found = first;
    }
    return found;
  }

  #drop(socket: Socket, reason: DropReason, address: string): void {
    // The HTTP or TLS server takes over the socket next, and does not expect a destroyed one.
    setImmediate(() => socket.destroy());
    this.#dropped(reason, address);
  }
}
