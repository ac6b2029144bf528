import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { plan } from '../../planning/plan.ts';
import { filePublisher } from './file-publisher.ts';

const watched = vi.hoisted(() => ({ notice: () => {}, files: [] as readonly string[] }));
vi.mock('../../files/watch-files.ts', () => ({
  watchFiles({ files }: { files: readonly string[] }, changed: () => void) {
    Object.assign(watched, { notice: changed, files });
    return changed;
  },
}));

/** Called before and after the file is replaced. What `before` throws is thrown. */
const replaced = vi.hoisted(() => ({
  before: (): void => {},
  after: (_path: string): void => {},
}));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const renameSync: typeof fs.renameSync = (from, to) => {
    replaced.before();
    fs.renameSync(from, to);
    replaced.after(String(to));
  };
  return { ...fs, renameSync };
});

const { signal } = new AbortController();

async function setup() {
  const folder = await mkdtemp(join(tmpdir(), 'watch-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'configmap.yaml');
  const publisher = filePublisher(path, { name: 'toolset', namespace: 'ns' }, undefined, {
    usual: 0,
    unfinished: 0,
  });
  const stop = new AbortController();
  const changed = vi.fn();
  const failed = vi.fn();
  const state = { isWatching: true };
  const ended = publisher.watch?.(changed, failed, stop.signal).then(() => {
    state.isWatching = false;
  });
  return {
    folder,
    path,
    changed,
    failed,
    state,
    publish: async (text: string): Promise<void> => {
      const documents = { 'toolset.json': text };
      const planned = plan({ documents, tools: [] }, await publisher.read(signal), '1');
      await publisher.apply(planned, new Date(0), signal);
    },
    read: () => publisher.read(signal),
    /** The file may have changed. */
    notice: async (): Promise<void> => {
      watched.notice();
      for (let turns = 0; turns < 20; turns++) await turn();
      await readFile(path, 'utf8').catch(() => {});
      for (let turns = 0; turns < 20; turns++) await turn();
    },
    stop: async (): Promise<void> => {
      stop.abort();
      await ended;
    },
  };
}

test('external writes and the removal of the file are changes, and our own writes are not', async () => {
  const { path, changed, failed, state, publish, read, notice, stop } = await setup();
  await publish('a');
  expect(watched.files).toEqual([path]);
  await notice();
  await publish('b');
  await notice();
  expect(changed).not.toHaveBeenCalled();
  await writeFile(path, (await readFile(path, 'utf8')).replace('toolset.json: b', 'toolset.json: edited'));
  await notice();
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  // It was read meanwhile.
  await read();
  await notice();
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  await rm(path);
  await notice();
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
  expect(state.isWatching).toBe(true);
  await stop();
  await notice();
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2));
  expect(failed).not.toHaveBeenCalled();
});

test('a file that cannot be read any more is a change, so that the next run reports it', async () => {
  const { path, changed, publish, notice, stop } = await setup();
  await publish('a');
  await rm(path);
  await mkdir(path);
  await notice();
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  await stop();
});

test('an external write right after our own is a change too', async () => {
  const { path, changed, publish, notice, stop } = await setup();
  replaced.after = (file) => rmSync(file);
  onTestFinished(() => {
    replaced.after = () => {};
  });
  await publish('a');
  await expect(readFile(path)).rejects.toThrow('ENOENT');
  await notice();
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  await stop();
});

test('a file that is removed before the watch has seen it is a change, a few seconds after it was written', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const { path, changed, publish, stop } = await setup();
  await publish('a');
  await rm(path);
  await vi.advanceTimersByTimeAsync(10_000);
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1));
  await stop();
});

test('a watch that is over before it begins ends', async () => {
  const { path } = await setup();
  const publisher = filePublisher(path, { name: 'toolset', namespace: 'ns' });
  await publisher.watch?.(vi.fn(), vi.fn(), AbortSignal.abort());
});

test('a write that fails at its end leaves the file as it was, and no temporary one', async () => {
  const { folder, path, publish, stop } = await setup();
  await publish('a');
  const before = await readFile(path, 'utf8');
  replaced.before = () => {
    throw new Error('no space left');
  };
  onTestFinished(() => {
    replaced.before = () => {};
  });
  await expect(publish('b')).rejects.toThrow(`cannot write ${path}: no space left; name a writable file`);
  expect(await readFile(path, 'utf8')).toBe(before);
  expect(await readdir(folder)).toEqual(['configmap.yaml']);
  await stop();
});
