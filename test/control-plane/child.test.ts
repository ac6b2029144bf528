import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runChild } from '../cluster/child.ts';
import { processExists } from '../cluster/lock.ts';
import { waitUntil } from '../cluster/wait.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dynamic-toolset-child-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

it('returns the exit code, each line and the last of them', async () => {
  const lines: string[] = [];
  const script = 'i=0; while [ $i -lt 30 ]; do echo "line $i"; i=$((i+1)); done; exit 3';
  const { code, tail } = await runChild('/bin/sh', ['-c', script], { onLine: (line) => lines.push(line) });
  expect(code).toBe(3);
  expect(lines).toHaveLength(30);
  expect(tail).toEqual(lines.slice(-20));
});

it("rejects with the system's reason if the program cannot be started", async () => {
  await expect(runChild(join(root, 'nothing'), [])).rejects.toMatchObject({ code: 'ENOENT' });
});

it('kills a child that does not stop, with its children', { timeout: 60_000 }, async () => {
  const note = join(root, 'pids');
  const abort = new AbortController();
  const script = `trap '' TERM; sleep 60 & echo "$$ $!" > ${note}; wait; sleep 60`;
  const ended = runChild('/bin/sh', ['-c', script], { abort: abort.signal, stopLimitMs: 200 });
  const outcome = ended.catch((error: unknown) => error);
  const found = await waitUntil('the child runs', async () =>
    /^(\d+) (\d+)\n/.exec(await readFile(note, 'utf8')),
  );
  const pids = [Number(found[1]), Number(found[2])];

  const reason = new Error('enough');
  const asked = Date.now();
  abort.abort(reason);

  expect(await outcome).toBe(reason);
  expect(Date.now() - asked).toBeGreaterThanOrEqual(199);
  await waitUntil('both are gone', () => pids.every((pid) => !processExists(pid)));
});
