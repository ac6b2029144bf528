import { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Connections } from './connections.ts';

/** A socket of a peer: what is asked of one, and no more. */
class Peer extends EventEmitter {
  static ports = 0;
  readonly remoteAddress: string;
  readonly remotePort = ++Peer.ports;
  destroyed = false;

  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

function setting({ total = 1_000, perAddress = 50 } = {}) {
  const dropped: string[] = [];
  const connections = new Connections({ total, perAddress: () => perAddress }, (reason, address) =>
    dropped.push(`${reason} ${address}`),
  );
  const open = async (address: string): Promise<Peer> => {
    const peer = new Peer(address);
    connections.add(peer as unknown as Socket);
    await new Promise(setImmediate);
    return peer;
  };
  const trust = (peer: Peer, client = peer.remoteAddress): void =>
    connections.trust(peer as unknown as Socket, client);
  const server = new EventEmitter();
  connections.guard(server as unknown as Server);
  /** A request on a connection. @returns ends it */
  const request = (socket: Peer): (() => void) => {
    const response = new EventEmitter();
    server.emit('request', { socket }, response);
    return () => void response.emit('close');
  };
  return { connections, dropped, open, trust, request };
}

test('at the limit of an address, a new connection replaces its oldest one that is not in use', async () => {
  const { connections, open, dropped } = setting({ perAddress: 2 });
  const [first, second, third] = [
    await open('10.0.0.1'),
    await open('10.0.0.1'),
    await open('::ffff:10.0.0.1'),
  ];
  expect([first, second, third].map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
  expect([connections.size, dropped]).toEqual([2, ['address 10.0.0.1']]);
});

test('a connection that is authenticated or in use stays, and the new one is closed', async () => {
  const { open, trust, request } = setting({ perAddress: 2 });
  const [trusted, busy] = [await open('10.0.0.1'), await open('10.0.0.1')];
  trust(trusted);
  const answered = request(busy);
  const third = await open('10.0.0.1');
  expect([trusted, busy, third].map(({ destroyed }) => destroyed)).toEqual([false, false, true]);
  answered();
  const fourth = await open('10.0.0.1');
  expect([trusted, busy, fourth].map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
});

test('an IPv6 /64 network counts as one address', async () => {
  const { open } = setting({ perAddress: 1 });
  const [first, other] = [await open('2001:db8:1:2::1'), await open('2001:db8:1:3::1')];
  await open('2001:db8:1:2:ffff::9');
  expect([first.destroyed, other.destroyed]).toEqual([true, false]);
});

test('10,000 idle connections of 30 addresses do not lock out others with few', async () => {
  const { connections, open } = setting();
  for (let n = 0; n < 10_000; n++) await open(`10.1.0.${n % 30}`);
  expect(connections.size).toBe(1_000);
  const fair: Peer[] = [];
  for (let n = 0; n < 20; n++) fair.push(await open('10.2.0.1'));
  for (let n = 0; n < 10_000; n++) await open(`10.1.0.${n % 30}`);
  expect(fair.filter(({ destroyed }) => destroyed)).toEqual([]);
});

test('of addresses with one connection each, the oldest that never sent a request is closed', async () => {
  const { open, request } = setting({ total: 4 });
  const silent = [await open('10.0.0.1')];
  const prober = await open('10.0.9.9');
  request(prober);
  silent.push(await open('10.0.0.2'), await open('10.0.0.3'));
  const late = [await open('10.0.0.4'), await open('10.0.0.5')];
  expect(silent.map(({ destroyed }) => destroyed)).toEqual([true, true, false]);
  expect([prober, ...late].map(({ destroyed }) => destroyed)).toEqual([false, false, false]);
});

test('an address that reconnects does not change whose connection is the oldest', async () => {
  const { open } = setting({ total: 4, perAddress: 2 });
  const first = await open('10.0.0.1');
  const old = await open('10.0.0.2');
  await open('10.0.0.3');
  first.destroy();
  const again = await open('10.0.0.1');
  const prober = await open('10.0.9.9');
  await open('10.0.0.4');
  expect([old, again, prober].map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
});

test('a burst from 200 addresses as large as the backlog displaces no connection that came with it', async () => {
  const { open } = setting();
  for (let n = 0; n < 5_000; n++) await open(`10.1.${(n % 2_000) >> 8}.${n % 256}`);
  const prober = await open('10.2.0.1');
  for (let n = 0; n < 900; n++) await open(`10.3.${n >> 8}.${n % 256}`);
  expect(prober.destroyed).toBe(false);
});

test('connections with admitted requests are closed last', async () => {
  const { open, trust, dropped } = setting({ total: 4, perAddress: 3 });
  const trusted = [await open('10.0.0.1'), await open('10.0.0.1'), await open('10.0.0.1')];
  for (const peer of trusted) trust(peer);
  const stranger = await open('10.0.0.2');
  await open('10.0.0.3');
  expect([stranger.destroyed, trusted.some(({ destroyed }) => destroyed)]).toEqual([true, false]);
  expect(dropped).toEqual(['displaced 10.0.0.2']);
});

test('silent connections from many addresses displace no client with several authenticated ones, nor its next one', async () => {
  const { open, trust, dropped } = setting({ total: 30 });
  const fair: Peer[] = [];
  for (let n = 0; n < 5; n++) fair.push(await open('10.2.0.1'));
  for (const peer of fair) trust(peer);
  for (let n = 0; n < 500; n++) await open(`10.1.0.${n % 200}`);
  const next = await open('10.2.0.1');
  for (let n = 0; n < 20; n++) await open(`10.1.0.${n}`);
  expect([...fair, next].filter(({ destroyed }) => destroyed)).toEqual([]);
  expect(dropped.filter((each) => each.includes('10.2.0.1'))).toEqual([]);
});

test('authenticated connections that take more than half of the server make room for others', async () => {
  const { open, trust } = setting({ total: 10, perAddress: 6 });
  const many: Peer[] = [];
  for (let n = 0; n < 10; n++) many.push(await open(`10.1.0.${n % 2}`));
  for (const peer of many) trust(peer);
  const fair = await open('10.2.0.1');
  expect(fair.destroyed).toBe(false);
  expect(many.filter(({ destroyed }) => destroyed)).toHaveLength(1);
});

test('a client with a connection from each of many addresses displaces none of a client with several', async () => {
  const { open, trust } = setting({ total: 30 });
  const fair: Peer[] = [];
  for (let n = 0; n < 5; n++) fair.push(await open('10.2.0.1'));
  for (const peer of fair) trust(peer, 'fair');
  for (let n = 0; n < 400; n++) trust(await open(`10.1.${n >> 8}.${n % 256}`), 'many');
  const next = await open('10.2.0.1');
  trust(next, 'fair');
  for (let n = 0; n < 40; n++) trust(await open(`10.3.0.${n}`), 'many');
  expect([...fair, next].filter(({ destroyed }) => destroyed)).toEqual([]);
});

test('the limits always hold, and the address with the fewest never loses a connection', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.boolean()), { maxLength: 60 }),
      async (steps) => {
        const { connections, open } = setting({ total: 8, perAddress: 4 });
        const peers: Peer[] = [];
        const held = (address: string): number =>
          peers.filter((peer) => !peer.destroyed && peer.remoteAddress === address).length;
        for (const [n, closes] of steps) {
          const address = `10.0.0.${n}`;
          if (closes) {
            peers.find((peer) => !peer.destroyed && peer.remoteAddress === address)?.destroy();
            continue;
          }
          const before = held(address);
          const peer = await open(address);
          peers.push(peer);
          const living = peers.filter(({ destroyed }) => !destroyed);
          expect(living.length).toBe(connections.size);
          expect(living.length).toBeLessThanOrEqual(8);
          expect(held(address)).toBeLessThanOrEqual(4);
          // Six addresses on eight places: somebody has two where a newcomer has none.
          if (before === 0) expect(peer.destroyed).toBe(false);
        }
      },
    ),
  );
});
