import { expect, test } from 'vitest';
import { type Cached, type CacheLimits, StaleWhileRevalidateCache } from './stale-while-revalidate-cache.ts';

const LIMITS: CacheLimits = { entries: 10, concurrency: 1, queued: 1, timeout: 60_000 };

/** A memory whose questions are answered by hand, in their order. */
function setting(limits: Partial<CacheLimits> = {}) {
  const clock = { time: 1_000 };
  const questions: PromiseWithResolvers<Cached<string>>[] = [];
  const memory = new StaleWhileRevalidateCache<string>(
    { ...LIMITS, ...limits },
    () => clock.time,
    new AbortController().signal,
  );
  const answer = (key = 'key') =>
    memory.answer(key, 'client', () => {
      const question = Promise.withResolvers<Cached<string>>();
      questions.push(question);
      return question.promise;
    });
  const settle = () => new Promise(setImmediate);
  /** Asks, and answers the question that follows. */
  const learn = async (held: Cached<string>) => {
    const asked = answer();
    await settle();
    questions.at(-1)?.resolve(held);
    return await asked;
  };
  return { clock, questions, answer, settle, learn };
}

test('an error is thrown to all waiting callers, and not cached', async () => {
  const { questions, answer, settle } = setting();
  const asked = [answer(), answer()];
  await settle();
  questions[0]?.reject(new Error('away'));
  expect((await Promise.allSettled(asked)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(questions).toHaveLength(1);
  const again = answer();
  await settle();
  questions[1]?.resolve({ answer: 'yes', ttlMs: 10 });
  expect(await again).toBe('yes');
});

test('a failed refresh is tried once, and keeps the cached answer until it expires', async () => {
  const { clock, questions, answer, settle, learn } = setting();
  expect(await learn({ answer: 'old', ttlMs: 100 })).toBe('old');
  clock.time += 71;
  expect(await answer()).toBe('old');
  await settle();
  questions[1]?.reject(new Error('away'));
  await settle();
  expect(await answer()).toBe('old');
  clock.time += 28;
  expect(await answer()).toBe('old');
  await settle();
  expect(questions).toHaveLength(2);
  clock.time += 1;
  expect(await learn({ answer: 'new', ttlMs: 100 })).toBe('new');
});

test('a refresh beyond the limits keeps the cached answer, too', async () => {
  const { clock, questions, answer, settle, learn } = setting({ queued: 0 });
  await learn({ answer: 'old', ttlMs: 100 });
  const other = answer('other');
  await settle();
  clock.time += 71;
  expect(await answer()).toBe('old');
  await settle();
  expect(await answer()).toBe('old');
  expect(questions).toHaveLength(2);
  questions[1]?.resolve({ answer: 'x', ttlMs: 1 });
  expect(await other).toBe('x');
});

test('an answer with a shorter lifetime does not replace a valid one', async () => {
  const { clock, questions, answer, settle, learn } = setting();
  await learn({ answer: 'old', ttlMs: 100 });
  clock.time += 71;
  await answer();
  await settle();
  questions[1]?.resolve({ answer: 'unknown', ttlMs: 1 });
  await settle();
  expect(await answer()).toBe('old');
});

test('after expiry, the shorter answer counts: an expired one is never returned', async () => {
  const { clock, questions, answer, settle, learn } = setting();
  await learn({ answer: 'old', ttlMs: 100 });
  clock.time += 71;
  await answer();
  await settle();
  clock.time += 29;
  const asked = answer();
  questions[1]?.resolve({ answer: 'unknown', ttlMs: -50 });
  expect(await asked).toBe('unknown');
  expect(await learn({ answer: 'new', ttlMs: 100 })).toBe('new');
});

test('a request whose entry is evicted still completes', async () => {
  const { questions, answer, settle } = setting({ entries: 1, concurrency: 2 });
  const asked = ['a', 'b'].map((key) => answer(key));
  await settle();
  for (const question of questions) question.resolve({ answer: 'yes', ttlMs: 10 });
  expect(await Promise.all(asked)).toEqual(['yes', 'yes']);
});
