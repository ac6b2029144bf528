import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NoControlPlane } from '../cluster/binaries.ts';
import { type Sandbox, sandbox } from './fixture.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await sandbox();
});
afterEach(() => rm(box.root, { recursive: true, force: true }));

describe('KUBEBUILDER_ASSETS', () => {
  it('is used if it has both programs, and nothing is prepared', async () => {
    const assets = join(box.root, 'assets');
    await box.program(join(assets, 'kube-apiserver'));
    await box.program(join(assets, 'etcd'));

    expect(await box.prepare({ env: { ...box.env, KUBEBUILDER_ASSETS: assets } })).toBe(assets);

    expect(box.told()).toContain(`using KUBEBUILDER_ASSETS, ${assets}`);
    expect(await readdir(box.root)).not.toContain('cache');
    expect(await box.goCalls()).toEqual([]);
  });

  it.each([
    ['lacks one', async (file: string) => rm(file), 'does not exist'],
    ['has one that is not executable', async (file: string) => chmod(file, 0o644), 'is not executable'],
    [
      'has one that does not run',
      (file: string) => writeFile(file, '#!/bin/sh\nexit 7\n'),
      'does not run here',
    ],
    ['has one cut short', (file: string) => writeFile(file, '\x7fELF\x02\x01'), 'does not run here'],
  ])('is skipped with a clear message if it %s', async (_what, damage, why) => {
    const assets = join(box.root, 'assets');
    const etcd = join(assets, 'etcd');
    await box.program(join(assets, 'kube-apiserver'));
    await box.program(etcd);
    await damage(etcd);

    const folder = await box.prepare({ env: { ...box.env, KUBEBUILDER_ASSETS: assets } });

    expect(folder).toBe(await box.folder());
    expect(box.told()).toContain(`KUBEBUILDER_ASSETS passed over: ${etcd} ${why}`);
    expect(box.told()).not.toContain(join(assets, 'kube-apiserver'));
  });
});

describe('the cache', () => {
  it('is used by the next run, which builds nothing', async () => {
    const folder = await box.prepare();
    const calls = await box.goCalls();
    expect(await box.prepare()).toBe(folder);
    expect(await box.goCalls()).toEqual(calls);
    expect(box.told()).toContain(`using the cache, ${folder}`);
  });

  it('is another folder for other pinned versions', async () => {
    const first = await box.prepare();
    await writeFile(join(box.root, 'module', 'go.sum'), 'other sums\n');
    const second = await box.prepare();
    expect(second).not.toBe(first);
    expect(await box.goCalls()).toHaveLength(4);
  });
});

describe('the build', () => {
  it('builds both programs from the pinned module, under temporary names in the same folder', async () => {
    const folder = await box.prepare();
    const flags = 'build -v -trimpath -ldflags=-s -w -o';
    const calls = (await box.goCalls()).map((call) => call.replace(/(\.build-\d+-)\w+/, '$1x'));
    const draft = `${folder}/.build-${process.pid}-x`;
    expect(calls).toEqual([
      `in ${box.root}/module: ${flags} ${draft}/etcd go.etcd.io/etcd/server/v3`,
      `in ${box.root}/module: ${flags} ${draft}/kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver`,
    ]);
    expect((await readdir(folder)).sort()).toEqual(['etcd', 'kube-apiserver']);
    expect(await readFile(join(folder, 'etcd'), 'utf8')).toContain('echo built');
  });

  it('keeps the programs that an earlier run finished', async () => {
    const folder = await box.prepare();
    await rm(join(folder, 'kube-apiserver'));
    await box.prepare();
    const calls = await box.goCalls();
    expect(calls).toHaveLength(3);
    expect(calls.at(-1)).toContain('kube-apiserver');
  });

  it('does not keep a program that does not run', async () => {
    await box.fakeGo('printf half > "$out"; chmod +x "$out"');
    await expect(box.prepare()).rejects.toThrow(/go built etcd, but .* does not run here/);
    expect(await readdir(await box.folder())).toEqual([]);
  });

  it('reports the last output of go, why each step failed, and what to do', async () => {
    await box.fakeGo('echo k8s.io/api >&2; echo "go: module lookup disabled by GOPROXY=off" >&2; exit 3');
    const failure = await box.prepare().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(NoControlPlane);
    const { message } = failure as NoControlPlane;
    expect(message).toContain('go could not build etcd (exit code 3)');
    expect(message).toContain('go: module lookup disabled by GOPROXY=off');
    for (const step of ['KUBEBUILDER_ASSETS: not set', 'cache: ', 'download: ', 'build: ']) {
      expect(message).toContain(`- ${step}`);
    }
    expect(message).toContain('install Go 1.26 or newer');
    expect(message).toContain('set KUBEBUILDER_ASSETS');
    expect(await readdir(await box.folder())).toEqual([]);
  });

  it('reports a missing go', async () => {
    const empty = join(box.root, 'empty');
    await expect(box.prepare({ env: { ...box.env, PATH: empty } })).rejects.toThrow(
      'build: there is no "go" on PATH',
    );
  });
});
