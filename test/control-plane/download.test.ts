import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, sandbox } from './fixture.ts';

let box: Sandbox;
let server: Server | undefined;
beforeEach(async () => {
  box = await sandbox();
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  await rm(box.root, { recursive: true, force: true });
});

/** Serves on a free port of this machine and gives the address. */
async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

/** A release archive as the upstream project makes them. */
async function archive(): Promise<Buffer> {
  const prefix = join(box.root, 'archive', 'controller-tools', 'envtest');
  for (const name of ['kube-apiserver', 'etcd', 'kubectl']) {
    await box.program(join(prefix, name), '#!/bin/sh\necho downloaded\n');
  }
  const file = join(box.root, 'envtest.tar.gz');
  await promisify(execFile)('tar', ['-czf', file, '-C', join(box.root, 'archive'), 'controller-tools']);
  return readFile(file);
}

/** A release index with one version for every system the tests may run on. */
function index(origin: string, hash: string, version = 'v1.36.1'): string {
  const entries = ['linux-amd64', 'linux-arm64', 'darwin-amd64', 'darwin-arm64'].map(
    (system) =>
      `    envtest-${version}-${system}.tar.gz:\n      hash: ${hash}\n      selfLink: ${origin}/archive.tar.gz\n`,
  );
  return `releases:\n  ${version}:\n${entries.join('')}`;
}

const sha512 = (data: Buffer): string => createHash('sha512').update(data).digest('hex');

describe('the download', { timeout: 60_000 }, () => {
  it('puts programs that match their checksum into the cache, and builds nothing', async () => {
    const data = await archive();
    const asked: string[] = [];
    const origin = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.end(
        request.url === '/index.yaml' ? index(`http://${request.headers.host}`, sha512(data)) : data,
      );
    });
    const download = { indexUrl: `${origin}/index.yaml` };

    const folder = await box.prepare({ download });

    expect(folder).toBe(await box.folder());
    expect((await readdir(folder)).sort()).toEqual(['etcd', 'kube-apiserver']);
    expect(await readFile(join(folder, 'etcd'), 'utf8')).toContain('echo downloaded');
    expect(await box.goCalls()).toEqual([]);

    expect(await box.prepare({ download })).toBe(folder);
    expect(asked).toEqual(['/index.yaml', '/archive.tar.gz']);
  });

  it('is skipped, and the build tried, if the checksum does not match', async () => {
    const data = await archive();
    const origin = await serve((request, response) => {
      const wrong = sha512(Buffer.from('other'));
      response.end(request.url === '/index.yaml' ? index(`http://${request.headers.host}`, wrong) : data);
    });
    const folder = await box.prepare({ download: { indexUrl: `${origin}/index.yaml` } });
    expect(box.told()).toContain('download passed over: SHA-512 mismatch');
    expect(await readFile(join(folder, 'etcd'), 'utf8')).toContain('echo built');
    expect((await readdir(folder)).sort()).toEqual(['etcd', 'kube-apiserver']);
  });

  it('is skipped if there is no release of that minor version', async () => {
    const origin = await serve((request, response) => {
      response.end(index(`http://${request.headers.host}`, 'none', 'v1.35.0'));
    });
    await box.prepare({ download: { indexUrl: `${origin}/index.yaml` } });
    expect(box.told()).toContain('download passed over: envtest version "1.36" not found');
  });

  it('names the cause if nothing listens', async () => {
    const origin = await serve(() => {});
    server?.close();
    await box.prepare({ download: { indexUrl: `${origin}/index.yaml` } });
    expect(box.told()).toMatch(/download passed over: fetch failed: .*ECONNREFUSED/);
  });

  it('does not wait for an index that never responds', async () => {
    const origin = await serve(() => {});
    const folder = await box.prepare({ download: { indexUrl: `${origin}/index.yaml`, contactMs: 500 } });
    expect(box.told()).toContain('download passed over: the release index did not answer within 0.5 s');
    expect((await readdir(folder)).sort()).toEqual(['etcd', 'kube-apiserver']);
  });

  it('does not wait for an archive that stops half way, and leaves no part of it', async () => {
    const data = await archive();
    const origin = await serve((request, response) => {
      if (request.url === '/index.yaml') response.end(index(`http://${request.headers.host}`, sha512(data)));
      else response.write(data.subarray(0, data.length / 2));
    });
    const folder = await box.prepare({ download: { indexUrl: `${origin}/index.yaml`, totalMs: 1_500 } });
    expect(box.told()).toContain('download passed over: the download was not complete within 1.5 s');
    expect((await readdir(folder)).sort()).toEqual(['etcd', 'kube-apiserver']);
  });
});
