import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Progress } from './progress.ts';
import { withProgress } from './with-progress.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const terminal = (columns = 80) => Object.assign(new PassThrough(), { isTTY: true, columns });
const written = (stream: PassThrough): string => String(stream.read() ?? '');

test('a fast command shows no progress', () => {
  const stream = terminal();
  const progress = new Progress(stream, {});
  progress.show('listing Services');
  vi.advanceTimersByTime(499);
  progress.end();
  vi.advanceTimersByTime(10_000);
  expect(written(stream)).toBe('');
});

test('a slow one shows its progress on one line, which is erased at the end', () => {
  const stream = terminal(20);
  const progress = new Progress(stream, {});
  progress.show('listing Services in all namespaces');
  vi.advanceTimersByTime(600);
  expect(written(stream)).toBe('\rlisting Services in\u001b[K');
  progress.show('asked 3 of 4');
  vi.advanceTimersByTime(1_000);
  expect(written(stream)).toBe('\rasked 3 of 4 \u2026\u001b[K');
  progress.end();
  progress.end();
  expect(written(stream)).toBe('\r\u001b[K');
});

test.each([
  ['in a pipe', new PassThrough(), {}],
  ['in CI', terminal(), { CI: 'true' }],
  ['on a dumb terminal', terminal(), { TERM: 'dumb' }],
])('there is none %s', async (_, messages, env) => {
  const output = { result: new PassThrough(), messages };
  expect(await withProgress(output, env, async (progress) => progress)).toBeUndefined();
});
