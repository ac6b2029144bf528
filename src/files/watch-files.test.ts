import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { watchFiles } from './watch-files.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'watch-'));
  onTestFinished(() => rm(made, { recursive: true }));
  return made;
}

const waited = { timeout: 20_000 };

test('a symlink swap is a change, and so is a file that is written in place in a folder', async () => {
  const at = await folder();
  await writeFile(join(at, 'a'), '1');
  await writeFile(join(at, 'b'), '22');
  await symlink(join(at, 'a'), join(at, 'link'));
  const other = await folder();
  await writeFile(join(other, 'x'), '1');
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const changed = vi.fn();
  watchFiles({ files: [join(at, 'link')], folders: [other] }, changed, stop.signal);
  await symlink(join(at, 'b'), join(at, 'next'));
  await rename(join(at, 'next'), join(at, 'link'));
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1), waited);
  await writeFile(join(other, 'x'), '2');
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(2), waited);
});

test('consecutive changes are one, and none is reported after the end', async () => {
  const stop = new AbortController();
  const changed = vi.fn();
  const notice = watchFiles({ files: [join(await folder(), 'none')] }, changed, stop.signal);
  for (let n = 0; n < 5; n++) notice();
  await vi.waitFor(() => expect(changed).toHaveBeenCalledTimes(1), waited);
  notice();
  stop.abort();
  await sleep(400);
  expect(changed).toHaveBeenCalledTimes(1);
});
