import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { writeStream } from './write-stream.ts';

let fifo: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'write-stream-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  fifo = join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
});

const { signal } = new AbortController();
const LONG = 'a line\n'.repeat(100_000);

test('a FIFO gets the whole text, as soon as a process reads it', async () => {
  const writing = writeStream(fifo, LONG, { isFifo: true, signal });
  await turn();
  const reader = spawn('cat', [fifo]);
  expect(await text(reader.stdout)).toBe(LONG);
  await writing;
});

test('an empty text ends the reading', async () => {
  const reader = spawn('cat', [fifo]);
  await writeStream(fifo, '', { isFifo: true, signal });
  expect(await text(reader.stdout)).toBe('');
});

test('the signal ends the wait for a reader, and for one that does not read', async () => {
  const stop = new AbortController();
  const waiting = writeStream(fifo, LONG, { isFifo: true, signal: stop.signal });
  stop.abort();
  await expect(waiting).rejects.toThrow('aborted');
  const opened = spawn('sh', ['-c', `exec sleep 60 < ${fifo}`]);
  onTestFinished(() => void opened.kill('SIGKILL'));
  const other = new AbortController();
  const writing = writeStream(fifo, LONG, { isFifo: true, signal: other.signal });
  const ended = expect(writing).rejects.toThrow('aborted');
  setTimeout(() => other.abort(), 500);
  await ended;
});

test('a reader that goes away is an error, and so is a full device', async () => {
  const reader = spawn('head', ['-c', '1', fifo]);
  await expect(writeStream(fifo, LONG, { isFifo: true, signal })).rejects.toThrow('EPIPE');
  expect(await text(reader.stdout)).toBe('a');
  await expect(writeStream('/dev/full', 'a', { isFifo: false, signal })).rejects.toThrow('ENOSPC');
  await writeStream('/dev/null', LONG, { isFifo: false, signal });
});
