import { appendFile, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { waitUntilQuiet } from './wait-until-quiet.ts';

const { signal } = new AbortController();
let path: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'quiet-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  path = join(folder, 'file');
});

/** Milliseconds of the wait. */
async function waited(quietMs: number): Promise<number> {
  const start = performance.now();
  await waitUntilQuiet(path, quietMs, signal);
  return performance.now() - start;
}

test('a file that is missing, or that was written long ago, is quiet', async () => {
  expect(await waited(60_000)).toBeLessThan(5_000);
  await writeFile(path, 'a');
  await utimes(path, 0, new Date(Date.now() - 120_000));
  expect(await waited(60_000)).toBeLessThan(5_000);
});

test('a write during the wait prolongs it', async () => {
  await writeFile(path, 'a');
  const waiting = waited(1_000);
  await sleep(700);
  await appendFile(path, 'b');
  expect(await waiting).toBeGreaterThanOrEqual(1_500);
});

test('a file from the future, by the clock of another machine, is quiet too', async () => {
  await writeFile(path, 'a');
  await utimes(path, 0, new Date(Date.now() + 3_600_000));
  expect(await waited(500)).toBeGreaterThanOrEqual(400);
});

test('a file that is written all the time is an error after a minute', async () => {
  await writeFile(path, 'a');
  const start = performance.now();
  const clock = vi.spyOn(performance, 'now').mockReturnValueOnce(start - 61_000);
  onTestFinished(() => clock.mockRestore());
  await expect(waitUntilQuiet(path, 5_000, signal)).rejects.toThrow('others have been writing to it');
});

test('a signal ends the wait', async () => {
  await writeFile(path, 'a');
  const stop = new AbortController();
  const waiting = waitUntilQuiet(path, 60_000, stop.signal);
  stop.abort();
  await expect(waiting).rejects.toThrow('aborted');
});
