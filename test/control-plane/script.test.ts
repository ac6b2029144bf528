import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { processExists } from '../cluster/lock.ts';
import { waitUntil } from '../cluster/wait.ts';
import { type Sandbox, sandbox } from './fixture.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/control-plane.ts', import.meta.url));

let box: Sandbox;
const groups: number[] = [];
beforeEach(async () => {
  box = await sandbox();
});
afterEach(async () => {
  for (const pid of groups.splice(0)) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Gone, as it should be.
    }
  }
  await rm(box.root, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

/** Runs the script with the sandbox as its home and the fake `go` on its path. */
function run(): Run {
  const child = spawn(process.execPath, [SCRIPT, '--no-download'], { env: box.env });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }));
  return { child, ended };
}

const cache = (): string => join(box.root, '.cache', 'dynamic-toolset', 'control-plane');

/** Every file in the cache: its path below the folder of the pinned versions, or the name of a lock file. */
async function cached(): Promise<readonly string[]> {
  const entries = await readdir(cache(), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((file) => file.slice(cache().length + 1).replace(/^[^/]+\//, '')).sort();
}

/** The path of a file in the temporary folder of the build of a run. */
const draft = (run: Run, file: string): RegExp => new RegExp(`^\\.build-${run.child.pid}-\\w+/${file}$`);

/** A `go` that writes half a program, notes its own process id and its child's, and takes a minute. */
async function slowGo(): Promise<{ pids(): Promise<readonly number[]> }> {
  const note = join(box.root, 'pids');
  await box.fakeGo(
    [
      `printf '#!/bin/sh\\n' > "$out"`,
      'echo x > "$GOTMPDIR/object"',
      'sleep 60 > /dev/null 2>&1 &',
      `echo "$$ $!" > ${note}`,
      'wait',
    ].join('\n'),
  );
  return {
    async pids() {
      const found = await waitUntil('the fake go runs', async () =>
        /^(\d+) (\d+)\n/.exec(await readFile(note, 'utf8')),
      );
      const pids = [Number(found[1]), Number(found[2])];
      groups.push(Number(found[1]));
      return pids;
    },
  };
}

describe('npm run control-plane', { timeout: 60_000 }, () => {
  it('writes the folder, and nothing else, to standard output', async () => {
    const { code, stdout, stderr } = await run().ended;
    expect(code).toBe(0);
    const folder = stdout.trimEnd();
    expect(stdout).toBe(`${folder}\n`);
    expect((await readdir(folder)).sort()).toEqual(['etcd', 'kube-apiserver']);
    expect(stderr).toContain('control plane: built kube-apiserver');
  });

  it('ends with 1 and one clear error if nothing works', async () => {
    await box.fakeGo('exit 1');
    const { code, stdout, stderr } = await run().ended;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('NoControlPlane: no test control plane');
    expect(stderr).toContain('set KUBEBUILDER_ASSETS to a folder with both programs');
    expect(stderr).not.toContain('    at ');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves no partial program, lock or process after %s',
    async (signal) => {
      const go = await slowGo();
      const started = run();
      const pids = await go.pids();
      expect(pids.map(processExists)).toEqual([true, true]);
      expect(await cached()).toEqual([
        expect.stringMatching(draft(started, 'etcd')),
        expect.stringMatching(draft(started, 'object')),
        expect.stringMatching(/\.lock$/),
      ]);

      started.child.kill(signal);

      const end = await started.ended;
      expect(end).toMatchObject({ code: null, signal, stdout: '' });
      expect(end.stderr).toContain('interrupted; run it again');
      expect(await cached()).toEqual([]);
      await waitUntil('the fake go and its child are gone', () => pids.every((pid) => !processExists(pid)));
    },
  );

  it('recovers from a run that was killed outright', async () => {
    const go = await slowGo();
    const first = run();
    await go.pids();
    first.child.kill('SIGKILL');
    await first.ended;
    expect(await cached()).toContainEqual(expect.stringMatching(draft(first, 'etcd')));
    expect(await cached()).not.toContain('etcd');

    await box.fakeGo(`printf '#!/bin/sh\\necho built\\n' > "$out"; chmod +x "$out"`);
    expect((await run().ended).code).toBe(0);
    expect(await cached()).toEqual(['etcd', 'kube-apiserver']);
  });

  it('builds once if two run at the same time', async () => {
    await box.fakeGo(`sleep 1; printf '#!/bin/sh\\necho built\\n' > "$out"; chmod +x "$out"`);
    const runs = [run(), run()];
    const [first, second] = await Promise.all(runs.map((each) => each.ended));
    expect([first?.code, second?.code]).toEqual([0, 0]);
    expect(first?.stdout).toBe(second?.stdout);
    expect(await box.goCalls()).toHaveLength(2);
    expect(`${first?.stderr}${second?.stderr}`).toMatch(
      /process \d+ is preparing the same programs; waiting/,
    );
    expect(await cached()).toEqual(['etcd', 'kube-apiserver']);
  });

  it('takes over the lock of a run that is dead', async () => {
    const dead = spawn('/bin/sh', ['-c', 'exit 0']);
    await once(dead, 'exit');
    const folder = await box.prepare();
    await rm(join(folder, 'etcd'));
    await writeFile(`${folder}.lock`, JSON.stringify({ id: 'x', pid: dead.pid, host: hostname() }));
    expect(await box.prepare()).toBe(folder);
    expect(await readdir(box.cache)).toEqual([folder.slice(box.cache.length + 1)]);
  });
});
