import { expect, onTestFinished, test } from 'vitest';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Published } from '../model/published.ts';
import { faultsLine, isCached, readOverrides } from '../outputs/read-overrides.ts';
import type { Publisher } from '../publishers/publisher.ts';
import { OverridesPreloader } from './overrides-preloader.ts';
import type { WorkerTask } from './text-worker.ts';
import { WorkerLimitError, WorkerThread } from './worker-thread.ts';

/** Texts that no other test has read. */
let texts = 0;
const fresh = (size = 100): string => `# ${texts++} ${'x'.repeat(size)}\ntools: {}\n`;

/** A thread that answers with these, one after another, and notes what it was asked. */
function setting(...answers: unknown[]) {
  const asked: string[] = [];
  let now = 0;
  const thread = {
    async run<T>(question: WorkerTask): Promise<T> {
      if (!('text' in question)) throw new Error('not a text');
      asked.push(question.text);
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer as T;
    },
    close: async () => {},
  };
  const ahead = new OverridesPreloader({ thread, short: 50, now: () => now });
  return {
    ahead,
    asked,
    pass(ms: number) {
      now += ms;
    },
  };
}

const READ = { value: { ...NO_OVERRIDES, tools: { a: { enabled: false } } } };

test('a long text is parsed in the worker thread once, and the event loop uses the result', async () => {
  const { ahead, asked } = setting(READ);
  const text = fresh();
  await ahead.read(text);
  await ahead.read(text);
  expect(asked).toEqual([text]);
  // The text itself says something else: it was not parsed here.
  expect(readOverrides(text)).toBe(READ);
});

test('a short or missing text needs no worker thread', async () => {
  const { ahead, asked } = setting();
  await ahead.read('tools: {}\n');
  await ahead.read(undefined);
  expect(asked).toEqual([]);
});

test.each([
  [new WorkerLimitError('5 s'), 'was not read within the limit of 5 s'],
  [new WorkerLimitError('48 MiB of memory'), 'was not read within the limit of 48 MiB of memory'],
  [new Error('the worker ended'), 'could not be read: the worker ended'],
])('a failure to parse a text is a fault: %s', async (error, said) => {
  const { ahead } = setting(error);
  const text = fresh();
  await ahead.read(text);
  const read = readOverrides(text);
  expect('faults' in read && faultsLine(read)).toContain(`line 1, column 1: ${said}`);
});

test('a text that hit a limit is retried after a minute, and not before', async () => {
  const { ahead, asked, pass } = setting(new WorkerLimitError('5 s'), new WorkerLimitError('5 s'), READ);
  const text = fresh();
  await ahead.read(text);
  pass(59_999);
  await ahead.read(text);
  expect(asked).toHaveLength(1);
  pass(1);
  await ahead.read(text);
  pass(59_999);
  await ahead.read(text);
  expect(asked).toHaveLength(2);
  pass(1);
  await ahead.read(text);
  await ahead.read(text);
  pass(120_000);
  await ahead.read(text);
  expect(asked).toHaveLength(3);
  expect(readOverrides(text)).toBe(READ);
});

test('a publisher returns after its overrides are parsed, and so does its history', async () => {
  const { ahead, asked } = setting(READ, READ);
  const [live, deleted] = [fresh(), fresh()];
  const inner = {
    target: 'ConfigMap a/b',
    read: async () => ({ data: { 'overrides.yaml': live } }) as unknown as Published,
    history: {
      list: async () => [{ overrides: 'tools: {}' }, { overrides: deleted }],
      record: async () => [],
    },
    apply: async () => {},
  } as unknown as Publisher;
  const publisher = ahead.publisher(inner);
  const { signal } = new AbortController();
  expect(await publisher.read(signal)).toEqual(await inner.read(signal));
  expect(await publisher.history?.list(signal)).toHaveLength(2);
  expect(asked).toEqual([live, deleted]);
  expect(publisher).not.toHaveProperty('watch');
});

/** A real thread, which ends before the test does. */
function workerThread(): WorkerThread {
  const thread = new WorkerThread({ idle: 0, longest: 600_000 });
  onTestFinished(() => thread.close());
  return thread;
}

test('the worker gives the same result as the event loop', async () => {
  const thread = workerThread();
  for (const [text, again] of [
    ['tools: {a/b: {enabled: false}}\n', 'tools: {a/b: {enabled: false}} \n'],
    ['tools: 5\nx: 1\n', 'tools: 5\nx: 1 \n'],
    [
      'holmesgpt: {toolsets: {a: null, b: {c: [1, {d: e}]}}}\n',
      'holmesgpt: {toolsets: {a: null, b: {c: [1, {d: e}]}}} \n',
    ],
  ] as const) {
    const ahead = new OverridesPreloader({ thread, short: 0 });
    await ahead.read(text);
    expect(isCached(text)).toBe(true);
    expect(readOverrides(text)).toEqual(readOverrides(again));
  }
});

test('a hostile text of maximum length does not block the event loop', async () => {
  const ahead = new OverridesPreloader({ thread: workerThread() });
  const text = `[${'1,'.repeat(120_000)}]\n`;
  const reading = ahead.read(text);
  expect(isCached(text)).toBe(false);
  await reading;
  const read = readOverrides(text);
  expect('faults' in read && faultsLine(read)).toMatch(/more than 100000 tokens/);
});

test('a wrapped publisher does everything that the publisher does', async () => {
  const { signal } = new AbortController();
  const done: string[] = [];
  const inner: Required<Publisher> = {
    target: 'ns/toolset',
    history: { list: async () => [], record: async () => [] },
    read: async () => undefined,
    apply: async () => void done.push('apply'),
    checkShards: async () => ({ unread: [] }),
    isUsable: async () => done.push('isUsable') > 0,
    watch: async () => void done.push('watch'),
  };
  const wrapped = setting().ahead.publisher(inner);
  expect(Object.keys(wrapped).sort()).toEqual(Object.keys(inner).sort());
  await wrapped.apply({} as never, new Date(), signal);
  expect(await wrapped.isUsable?.({} as never, signal)).toBe(true);
  await wrapped.watch?.(
    () => {},
    () => {},
    signal,
  );
  expect(done).toEqual(['apply', 'isUsable', 'watch']);
});
