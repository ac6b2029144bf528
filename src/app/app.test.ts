import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ConfigError } from '../model/errors.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type App, createApp } from './app.ts';
import { readConfiguration } from './configuration.ts';

const MANIFESTS = join(import.meta.dirname, '../../demo/cluster');

/** An app that reads manifests and publishes into a file. */
async function appWith({ once = true, env = {} }: { once?: boolean; env?: Record<string, string> } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'app-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const out = join(folder, 'published.yaml');
  const sources = {
    texts: { probe: 'none', shutdownDelay: '0s', authEnabled: 'false', apiAddress: '127.0.0.1:0' },
    env,
    file: undefined,
    detectorFolders: [],
  };
  const configuration = await readConfiguration(sources);
  const app: App = createApp({
    serveOptions: {
      input: {
        manifests: [MANIFESTS],
        onlyNamespaces: false,
        kubeconfig: undefined,
        origin: '',
        context: undefined,
        stdin: process.stdin,
      },
      out,
      once,
      force: false,
    },
    host: { env, version: '1.2.3' },
    sources,
    configuration,
    logger: createLogger(configuration, new PassThrough().resume()),
  });
  return { app, out };
}

test('with `once` it publishes and ends by itself', async () => {
  const { app, out } = await appWith();
  await app.run(new AbortController().signal);
  expect(await readFile(out, 'utf8')).toContain('kind: ConfigMap');
  expect(app.readModel.counters.publications).toBe(1);
});

test('without it, it goes on until the signal is aborted', async () => {
  const { app, out } = await appWith({ once: false });
  const stop = new AbortController();
  const ended = app.run(stop.signal);
  await vi.waitFor(() => expect(app.readModel.counters.publications).toBe(1), { timeout: 20_000 });
  expect(await readFile(out, 'utf8')).toContain('kind: ConfigMap');
  stop.abort();
  await ended;
});

test('what cannot work together is an error with a class, and nothing is published', async () => {
  const { app, out } = await appWith({ env: { LEADER_ELECTION: 'true' } });
  await expect(app.run(new AbortController().signal)).rejects.toBeInstanceOf(ConfigError);
  await expect(readFile(out)).rejects.toThrow('ENOENT');
});
