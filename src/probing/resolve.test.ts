import { createSocket } from 'node:dgram';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ProbeFailure } from './fetch.ts';
import { createResolve, type Resolve } from './resolve.ts';

const A = 1;
const AAAA = 28;
const NO_SUCH_NAME = 3;

interface Question {
  readonly name: string;
  readonly type: number;
}

/** The one question of a DNS query, and where it ends. */
function questionOf(query: Buffer): Question & { readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.subarray(at + 1, at + 1 + length).toString('latin1'));
    at += 1 + length;
  }
  return { name: labels.join('.'), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** Answers a query with addresses (as bytes) or an error. */
function answerTo(query: Buffer, type: number, end: number, answer: readonly Buffer[] | number): Buffer {
  const head = Buffer.from(query.subarray(0, end));
  head.writeUInt16BE(0x8180 | (typeof answer === 'number' ? answer : 0), 2);
  const records = typeof answer === 'number' ? [] : answer;
  head.writeUInt16BE(records.length, 6);
  head.writeUInt32BE(0, 8);
  const fixed = (length: number): Buffer => {
    const record = Buffer.alloc(12);
    record.writeUInt16BE(0xc00c, 0);
    record.writeUInt16BE(type, 2);
    record.writeUInt16BE(1, 4);
    record.writeUInt32BE(30, 6);
    record.writeUInt16BE(length, 10);
    return record;
  };
  return Buffer.concat([head, ...records.flatMap((data) => [fixed(data.length), data])]);
}

/** The bit of an answer that says it is not complete. */
const TRUNCATED = 0x0200;

/** A DNS server: undefined leaves the question without an answer. @param change what it does to each answer */
async function dns(
  answer: (question: Question) => readonly Buffer[] | number | undefined,
  bits = 0,
  change: (answer: Buffer) => unknown = () => {},
): Promise<{ readonly asked: readonly Question[]; readonly resolve: (deadline?: number) => Resolve }> {
  const asked: Question[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const { name, type, end } = questionOf(query);
    asked.push({ name, type });
    const found = answer({ name, type });
    if (found === undefined) return;
    const sent = answerTo(query, type, end, found);
    sent.writeUInt16BE(sent.readUInt16BE(2) | bits, 2);
    change(sent);
    socket.send(sent, from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  const server = `127.0.0.1:${socket.address().port}`;
  return { asked, resolve: (deadline) => createResolve(deadline, [server]) };
}

const NAME = 'prometheus.monitoring.svc.cluster.local';
const FOUR = Buffer.from([10, 0, 0, 1]);
const SIX = Buffer.from('fd000000000000000000000000000001', 'hex');

describe('the name of a Service', () => {
  test('is queried as an absolute name, in both families', async () => {
    const { asked, resolve } = await dns(({ type }) => (type === A ? [FOUR] : [SIX]));
    expect(await resolve()(NAME)).toEqual([
      { address: '10.0.0.1', family: 4 },
      { address: 'fd00::1', family: 6 },
    ]);
    expect(asked.map(({ name }) => name)).toEqual([NAME, NAME]);
  });

  test('one family is enough if the other has no address, or no response', async () => {
    for (const other of [[], NO_SUCH_NAME, undefined]) {
      const { resolve } = await dns(({ type }) => (type === A ? [FOUR] : other));
      expect(await resolve()(NAME)).toEqual([{ address: '10.0.0.1', family: 4 }]);
    }
    const { resolve } = await dns(({ type }) => (type === AAAA ? [SIX] : []));
    expect(await resolve()(NAME)).toEqual([{ address: 'fd00::1', family: 6 }]);
  });

  test('with very many addresses, some are used', async () => {
    const many = Array.from({ length: 25 }, (_, index) => Buffer.from([10, 0, 0, index]));
    const { resolve } = await dns(({ type }) => (type === A ? many : []));
    expect(await resolve()(NAME)).toHaveLength(16);
  });

  test.each<[string, readonly Buffer[] | number | undefined, RegExp]>([
    [
      'that is not there',
      NO_SUCH_NAME,
      /^its name does not resolve \(ENOTFOUND( after (?!0\.0)\d\.\d s)?\)$/,
    ],
    ['that has no address', [], /\(ENODATA[ )]/],
    ['while DNS is broken', 2, /\(ESERVFAIL[ )]/],
    ['while DNS is away', undefined, /\((no answer from DNS|ETIMEOUT) after 0\.\d s\)$/],
  ])('%s: with a message', async (_, answer, reason) => {
    const { resolve } = await dns(() => answer);
    const error = await resolve(200)(NAME).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(ProbeFailure);
    expect(error).toMatchObject({ kind: 'resolution', message: expect.stringMatching(reason) });
  });
});

test('names that wait too long for their turn do not resolve, and are not queried any more', async () => {
  let isAway = true;
  const { asked, resolve } = await dns(() => (isAway ? undefined : [FOUR]));
  const names = Array.from({ length: 40 }, (_, index) => `s${index}.monitoring.svc.cluster.local`);
  const one = resolve(200);
  const results = await Promise.allSettled(names.map((name) => one(name)));
  for (const result of results)
    expect(result).toMatchObject({
      status: 'rejected',
      reason: {
        kind: 'resolution',
        message: expect.stringMatching(/\((no answer from DNS|ETIMEOUT) after 0\.\d s\)$/),
      },
    });
  isAway = false;
  await new Promise((later) => setTimeout(later, 500));
  expect(new Set(asked.map(({ name }) => name)).size).toBeLessThan(10);
});

describe('the name of a Service that leads elsewhere', () => {
  const ELSEWHERE = 'grafana.shop.svc.cluster.local';

  test('is queried as an absolute name, in both families', async () => {
    const { asked, resolve } = await dns(({ type }) => (type === A ? [FOUR] : [SIX]));
    expect(await resolve()(ELSEWHERE, true)).toEqual([
      { address: '10.0.0.1', family: 4 },
      { address: 'fd00::1', family: 6 },
    ]);
    expect(asked).toEqual([
      { name: ELSEWHERE, type: A },
      { name: ELSEWHERE, type: AAAA },
    ]);
  });

  test.each<[string, readonly Buffer[] | number | undefined, RegExp]>([
    [
      'that is not there',
      NO_SUCH_NAME,
      /^its name does not resolve \(ENOTFOUND( after (?!0\.0)\d\.\d s)?\)$/,
    ],
    ['that has no address', [], /\(ENODATA[ )]/],
    ['while DNS is broken', 2, /\(ESERVFAIL[ )]/],
    ['while DNS refuses', 5, /\(EREFUSED[ )]/],
    ['while DNS is away', undefined, /\((no answer from DNS|ETIMEOUT) after 0\.\d s\)$/],
    ['with an answer of many packets', Array(200).fill(FOUR), /\(its answer is too large for UDP[ )]/],
  ])('%s: with a message', async (_, answer, reason) => {
    const { resolve } = await dns(() => answer);
    const error = await resolve(200)(ELSEWHERE, true).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(ProbeFailure);
    expect(error).toMatchObject({ kind: 'resolution', message: expect.stringMatching(reason) });
  });

  test('with a truncated answer, what arrived is used, without a TCP connection', async () => {
    const { asked, resolve } = await dns(({ type }) => (type === A ? [FOUR] : []), TRUNCATED);
    expect(await resolve()(ELSEWHERE, true)).toEqual([{ address: '10.0.0.1', family: 4 }]);
    expect(asked).toHaveLength(2);
    const { resolve: another } = await dns(() => [], TRUNCATED);
    await expect(another()(ELSEWHERE, true)).rejects.toThrow('its answer is too large for UDP');
  });

  test('is asked for again if a server fails once', async () => {
    const failing = new Set([A, AAAA]);
    const { asked, resolve } = await dns(({ type }) => (failing.delete(type) ? 2 : type === A ? [FOUR] : []));
    expect(await resolve()(ELSEWHERE, true)).toEqual([{ address: '10.0.0.1', family: 4 }]);
    expect(asked.filter(({ type }) => type === A)).toHaveLength(2);
  });

  test('does not resolve with the answer to another query', async () => {
    const { resolve } = await dns(
      () => [FOUR],
      0,
      (answer) => answer.writeUInt16BE(answer.readUInt16BE(0) ^ 1, 0),
    );
    await expect(resolve(200)(ELSEWHERE, true)).rejects.toThrow(/ETIMEOUT|no answer from DNS/);
  });
});

test('invalid answers for names that lead elsewhere do not affect others', async () => {
  const { resolve } = await dns(({ type, name }) =>
    type !== A ? [] : name.startsWith('junk') ? [Buffer.alloc(0)] : [FOUR],
  );
  const one = resolve(1_000);
  const junk = Array.from({ length: 10 }, (_, index) =>
    one(`junk${index}.shop.svc.cluster.local`, true).catch(({ kind }: ProbeFailure) => kind),
  );
  expect(await one(NAME)).toEqual([{ address: '10.0.0.1', family: 4 }]);
  expect(new Set(await Promise.all(junk))).toEqual(new Set(['resolution']));
});

test('other names use the system resolver, which knows /etc/hosts', async () => {
  const { asked, resolve } = await dns(() => NO_SUCH_NAME);
  expect((await resolve()('localhost')).map(({ address }) => address)).toContain('127.0.0.1');
  expect(asked).toEqual([]);
});
