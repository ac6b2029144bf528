import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SCALE } from '../scale.ts';
import { Contract } from './contract.ts';
import { hostileRequests } from './hostile-requests.ts';
import { inProcess } from './in-process.ts';
import { patiently } from './patiently.ts';

/** Requests for each operation. */
const EACH = 1_000 * SCALE;
/** Longest time for one answer, in milliseconds. A discovery that is waited for takes a pass. */
const LONGEST = 10_000;
/** How much more may be on the heap at the end than half way, in MiB: code that was compiled meanwhile, and answers that are kept. */
const GROWTH = 4;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** MiB on the heap without garbage. */
function heap(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** @throws Error where it takes too long */
async function inTime<T>(work: PromiseLike<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = setTimeout(() => reject(new Error(`no answer in ${LONGEST} ms`)), LONGEST);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(late);
  }
}

test(
  'no request causes a 500 or stays without a response, and none is remembered',
  async () => {
    const { app } = await inProcess();
    const contract = new Contract((await app.inject('/openapi.json')).body);
    // Events never end.
    const operations = contract.operations.filter(
      ({ operation }) => operation.operationId !== 'followEvents',
    );
    const held: number[] = [];
    const statuses = new Map<string, Set<number>>();
    for (const half of [1, 2]) {
      for (const documented of operations) {
        const { operationId } = documented.operation;
        const seen = statuses.get(operationId) ?? new Set();
        statuses.set(operationId, seen);
        const check = fc.asyncProperty(hostileRequests(documented), async (request) => {
          const answer = await patiently(() => inTime(app.inject(request)));
          seen.add(answer.statusCode);
          expect(answer.statusCode).toBeLessThan(500);
          if (answer.statusCode >= 400 && request.method !== 'HEAD')
            expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
        });
        await fc.assert(check, { numRuns: Math.ceil(EACH / 2), seed: half });
      }
      held.push(heap());
    }
    const [middle = 0, end = Number.POSITIVE_INFINITY] = held;
    expect(end - middle).toBeLessThan(GROWTH);
    // Good requests were among them: what is refused at once shows nothing.
    for (const [operationId, seen] of statuses)
      if (operationId !== 'getJob')
        expect([...seen], operationId).toContain(operationId === 'discover' ? 202 : 200);
  },
  SCALE * 120_000,
);
