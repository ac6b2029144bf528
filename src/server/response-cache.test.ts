import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { ResponseCache, Uncached } from './response-cache.ts';

/** A server that answers what it is asked for, and counts what it had to make. */
function setting(mostBytes?: number) {
  const state = { revision: 0, made: [] as string[], size: 10 };
  const answers = new ResponseCache(() => state.revision, mostBytes);
  const app = fastify();
  onTestFinished(() => app.close());
  app.get('/:question', (request, reply) => {
    const { question } = request.params as { question: string };
    return answers.send(request, reply, question, () => {
      state.made.push(question);
      const body = { question, revision: state.revision, filler: 'x'.repeat(state.size) };
      return question.startsWith('once') ? new Uncached(body) : body;
    });
  });
  const ask = async (question: string, headers = {}) => await app.inject({ url: `/${question}`, headers });
  return { state, ask };
}

test('a response is computed once per key, and again after a change', async () => {
  const { state, ask } = setting();
  const first = await ask('a');
  expect((await ask('a')).body).toBe(first.body);
  await ask('b');
  expect(state.made).toEqual(['a', 'b']);
  state.revision++;
  const second = await ask('a');
  expect(second.json().revision).toBe(1);
  expect(second.headers.etag).not.toBe(first.headers.etag);
  expect((await ask('a', { 'if-none-match': second.headers.etag })).statusCode).toBe(304);
  expect((await ask('a', { 'if-none-match': first.headers.etag })).statusCode).toBe(200);
  expect(state.made).toEqual(['a', 'b', 'a']);
});

test('the cache is bounded in bytes, and a response that is too large alone is still sent', async () => {
  const { state, ask } = setting(1_000);
  state.size = 300;
  for (const question of ['a', 'b', 'c', 'a']) await ask(question);
  // Three do not fit, so the oldest went.
  expect(state.made).toEqual(['a', 'b', 'c', 'a']);
  state.size = 5_000;
  expect((await ask('large')).statusCode).toBe(200);
  await ask('large');
  expect(state.made.filter((question) => question === 'large')).toHaveLength(2);
});

test('a response for arbitrary text is not cached, and displaces none', async () => {
  const { state, ask } = setting();
  await ask('a');
  for (let n = 0; n < 2_000; n++) await ask(`once-${n}`);
  await ask('once-0');
  await ask('a');
  expect(state.made.filter((question) => question === 'once-0')).toHaveLength(2);
  expect(state.made.filter((question) => question === 'a')).toHaveLength(1);
});

test('of many simultaneous responses, each turn of the event loop computes one', async () => {
  const { state, ask } = setting();
  const answers = Promise.all(Array.from({ length: 20 }, (_, n) => ask(`once-${n}`)));
  const madePerTurn: number[] = [];
  while (state.made.length < 20) {
    const before = state.made.length;
    await new Promise((resolve) => setImmediate(resolve));
    madePerTurn.push(state.made.length - before);
  }
  expect(Math.max(...madePerTurn)).toBe(1);
  expect((await answers).map(({ statusCode }) => statusCode)).toEqual(Array.from({ length: 20 }, () => 200));
});
