import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { readStream, readText } from './read-text.ts';

let path: string;
beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'read-text-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  path = join(folder, 'file');
});

const fifo = (): void => void execFileSync('mkfifo', [path]);

test('a file is read up to the limit, in bytes', async () => {
  await writeFile(path, 'grün');
  expect(await readText(path, 5)).toBe('grün');
  await expect(readText(path, 4)).rejects.toThrow('it has more than 4 bytes, the limit for a file');
});

test('a character that is divided between two chunks is kept', async () => {
  const bytes = Buffer.from('ü');
  expect(await readStream(Readable.from([bytes.subarray(0, 1), bytes.subarray(1)]), 9)).toBe('ü');
});

test('a device without an end is read up to the limit', async () => {
  await expect(readText('/dev/zero', 1024 * 1024)).rejects.toThrow('it has more than 1 MiB');
});

test('a missing file and a folder are errors with their codes', async () => {
  await expect(readText(path, 9)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readText(tmpdir(), 9)).rejects.toMatchObject({ code: 'EISDIR' });
});

test('a FIFO is read to its end', async () => {
  fifo();
  const reading = readText(path, 9);
  await writeFile(path, 'a text');
  expect(await reading).toBe('a text');
});

test('the signal ends the wait for a writer of a FIFO', async () => {
  fifo();
  const stop = new AbortController();
  const reading = readText(path, 9, stop.signal);
  stop.abort();
  await expect(reading).rejects.toThrow('aborted');
});

test('and that for standard input', async () => {
  const stop = new AbortController();
  const reading = readStream(new Readable({ read() {} }), 9, stop.signal);
  stop.abort();
  await expect(reading).rejects.toThrow('aborted');
});

test.each([
  ['Latin-1', Buffer.from('a: 1\n# gr\xfcn\n', 'latin1'), 2, 5],
  ['UTF-16', Buffer.from('\uFEFFa: 1\n', 'utf16le'), 1, 1],
  ['after a replacement character', Buffer.from([...Buffer.from('# \uFFFD\nü: \uFFFD'), 0xff]), 2, 5],
  ['half a character', Buffer.from('a: \uFFFD').subarray(0, -1), 1, 4],
])('a text that is not UTF-8 is an error with its place: %s', async (_, bytes, line, column) => {
  const reading = readStream(Readable.from([bytes]), 1_000);
  await expect(reading).rejects.toMatchObject({
    message: 'it is not UTF-8',
    fix: 'save it as UTF-8',
    place: { line, column },
  });
});
