import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NoProgram } from '../cluster/go-program.ts';
import { kubectl } from '../cluster/kubectl.ts';
import { type Sandbox, sandbox } from './fixture.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await sandbox();
});
afterEach(() => rm(box.root, { recursive: true, force: true }));

const telling = (minor: string): string =>
  `#!/bin/sh\necho '{"clientVersion": {"major": "1", "minor": "${minor}"}}'\n`;

/** Runs with a PATH that has the sandbox's programs and no kubectl of the machine. */
async function prepare(env: NodeJS.ProcessEnv = {}): Promise<string> {
  await box.fakeGo(`printf '#!/bin/sh\\necho built\\n' > "$out"; /bin/chmod +x "$out"`);
  return kubectl({
    env: { PATH: join(box.root, 'bin'), HOME: box.root, ...env },
    cacheFolder: box.cache,
    moduleFolder: join(box.root, 'module'),
    report: box.report,
  });
}

describe('kubectl', () => {
  it('comes from KUBEBUILDER_ASSETS, then from PATH', async () => {
    await box.program(join(box.root, 'assets', 'kubectl'), telling('36'));
    await box.program(join(box.root, 'bin', 'kubectl'), telling('32+'));
    const assets = join(box.root, 'assets');
    expect(await prepare({ KUBEBUILDER_ASSETS: assets })).toBe(join(assets, 'kubectl'));
    expect(await prepare()).toBe(join(box.root, 'bin', 'kubectl'));
    expect(await box.goCalls()).toEqual([]);
  });

  it.each([
    ['is too old', telling('27')],
    ['tells no version', '#!/bin/sh\necho hello\n'],
    ['does not run', '#!/bin/sh\nexit 3\n'],
  ])('is built once if the one on PATH %s', async (_what, text) => {
    await box.program(join(box.root, 'bin', 'kubectl'), text);
    const built = await prepare();
    expect(built.startsWith(box.cache)).toBe(true);
    expect(await readFile(built, 'utf8')).toContain('echo built');
    expect(await prepare()).toBe(built);
    const calls = await box.goCalls();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toContain('-X k8s.io/component-base/version.gitVersion=v1.36.3');
    expect(calls[0]).toMatch(/ k8s\.io\/kubernetes\/cmd\/kubectl$/);
  });

  it('is another file for another pinned version', async () => {
    const first = await prepare();
    await writeFile(join(box.root, 'module', 'go.sum'), 'other sums\n');
    expect(await prepare()).not.toBe(first);
  });

  it('is built once by two runs at the same time', async () => {
    const both = await Promise.all([prepare(), prepare()]);
    expect(both[0]).toBe(both[1]);
    expect(await box.goCalls()).toHaveLength(1);
  });

  it('reports why there is none', async () => {
    await rm(join(box.root, 'bin', 'go'));
    const without = kubectl({
      env: { PATH: join(box.root, 'bin') },
      cacheFolder: box.cache,
      moduleFolder: join(box.root, 'module'),
      report: box.report,
    });
    await expect(without).rejects.toThrow(NoProgram);
    await expect(without).rejects.toThrow('no kubectl: there is no "go" on PATH');
  });

  it('is not kept if the build does not run', async () => {
    await box.program(join(box.root, 'bin', 'go'), '#!/bin/sh\nexit 0\n');
    const broken = kubectl({
      env: { PATH: join(box.root, 'bin') },
      cacheFolder: box.cache,
      moduleFolder: join(box.root, 'module'),
      report: box.report,
    });
    await expect(broken).rejects.toThrow('no kubectl: go built it, but');
  });

  it('is of the same version as the control plane', async () => {
    const pinned = await Promise.all(
      ['control-plane', 'kubectl'].map(
        async (folder) =>
          /k8s\.io\/kubernetes (v\S+)/.exec(
            await readFile(join(import.meta.dirname, '..', folder, 'go.mod'), 'utf8'),
          )?.[1],
      ),
    );
    expect(pinned[0]).toMatch(/^v1\./);
    expect(pinned[1]).toBe(pinned[0]);
  });
});
