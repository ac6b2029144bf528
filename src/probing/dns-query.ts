import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { on, once } from 'node:events';
import { isIP, isIPv6, SocketAddress } from 'node:net';
import { decode, encode, type Packet, RECURSION_DESIRED, TRUNCATED_RESPONSE } from 'dns-packet';

/** Maximum size of an answer, in bytes. It fits into one IP packet. Source: DNS Flag Day 2020. */
const MAX_ANSWER = 1_232;
/** The port of DNS servers. */
const DNS_PORT = 53;

/** The record types of addresses, by IP version. */
const RECORD = { 4: 'A', 6: 'AAAA' } as const;

/** Response codes for which another server, or another attempt, may have an answer, with the names that `node:dns` has for them. */
const RETRIED: Readonly<Record<string, string>> = { SERVFAIL: 'ESERVFAIL', REFUSED: 'EREFUSED' };

const NO_EXTENSIONS = { extendedRcode: 0, ednsVersion: 0, flags: 0, flag_do: false, options: [] };

const TOO_LARGE = 'its answer is too large for UDP';

const failed = (code: string): Error => Object.assign(new Error(code), { code });

/** The DNS servers to ask. */
export interface DnsQueryOptions {
  /** As `dns.getServers` writes them; absent: those of the system. */
  readonly servers?: readonly string[] | undefined;
  /** How long to wait for one answer, in milliseconds. */
  readonly timeout: number;
  /** How often to ask each server. All of this takes at most `tries` times the timeout. */
  readonly tries: number;
}

/** Where a DNS server listens, as `dns.getServers` writes it: `10.0.0.1`, `10.0.0.1:5353` or `[fd00::1]:5353`. */
function placeOf(server: string): { readonly address: string; readonly port: number } {
  if (isIPv6(server)) return { address: server, port: DNS_PORT };
  const parsed = SocketAddress.parse(server);
  return { address: parsed?.address ?? server, port: parsed?.port || DNS_PORT };
}

/** The types of the library do not include the response code. */
type DnsAnswer = Packet & { readonly rcode?: string };

const queryFor = (name: string, family: 4 | 6): Packet => ({
  type: 'query',
  id: randomInt(2 ** 16),
  flags: RECURSION_DESIRED,
  questions: [{ type: RECORD[family], name }],
  additionals: [{ type: 'OPT', name: '.', udpPayloadSize: MAX_ANSWER, ...NO_EXTENSIONS }],
});

/** Sends a query to a server. @throws if it does not answer in time, or with anything else than DNS */
async function answerOf(server: string, query: Packet, timeout: number): Promise<DnsAnswer> {
  const { address, port } = placeOf(server);
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const signal = AbortSignal.timeout(timeout);
  try {
    const messages = on(socket, 'message', { signal });
    // From now on, the socket takes only what this server sends.
    socket.connect(port, address);
    await once(socket, 'connect', { signal });
    socket.send(encode(query));
    for await (const [message] of messages as AsyncIterable<[Buffer]>) {
      if (message.length > MAX_ANSWER) throw failed(TOO_LARGE);
      const answer = decode(message);
      if (answer.id === query.id && answer.type === 'response') return answer;
    }
    throw failed('ETIMEOUT');
  } catch (error) {
    throw signal.aborted ? failed('ETIMEOUT') : error;
  } finally {
    socket.close();
  }
}

/** The addresses in an answer, or the code of the error that it is. */
function addressesIn({ answers = [], rcode = '', flags = 0 }: DnsAnswer, family: 4 | 6): string[] | string {
  if (rcode === 'NXDOMAIN') return 'ENOTFOUND';
  const addresses = answers
    .flatMap((each) => (each.type === RECORD[family] ? String(each.data) : []))
    .filter((address) => isIP(address) === family);
  if (addresses.length > 0) return addresses;
  return (flags & TRUNCATED_RESPONSE) === 0 ? 'ENODATA' : TOO_LARGE;
}

/**
 * Resolves the addresses of an absolute name by UDP alone, so that there is at most one packet to read, however many addresses
 * and aliases the owner of a name has. If they do not all fit, it returns those that do.
 * @throws an error with a `code`, as `node:dns` does
 */
export async function addressesByUdp(
  name: string,
  family: 4 | 6,
  { servers = getServers(), timeout, tries }: DnsQueryOptions,
): Promise<string[]> {
  const deadline = performance.now() + timeout * tries;
  let last: unknown = failed('ECONNREFUSED');
  for (const server of Array.from({ length: tries }, () => servers).flat()) {
    if (performance.now() >= deadline) break;
    let answer: DnsAnswer;
    try {
      answer = await answerOf(server, queryFor(name, family), timeout);
    } catch (error) {
      last = error;
      continue;
    }
    const retried = RETRIED[answer.rcode ?? ''];
    if (retried !== undefined) {
      last = failed(retried);
      continue;
    }
    const found = addressesIn(answer, family);
    if (typeof found === 'string') throw failed(found);
    return found;
  }
  throw last;
}
