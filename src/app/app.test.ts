import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { ConfigError } from '../model/errors.ts';
import type { Output } from '../outputs/output.ts';
import { outputsOf } from '../outputs/outputs.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type App, type AppOptions, createApp } from './app.ts';
import { readConfiguration } from './configuration.ts';

const MANIFESTS = join(import.meta.dirname, '../../demo/cluster');

/** An app that reads manifests and publishes into a file. */
async function appWith({
  once = true,
  env = {},
  published,
  targetTypes,
}: { once?: boolean; env?: Record<string, string>; published?: string } & Pick<
  AppOptions,
  'targetTypes'
> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'app-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const out = join(folder, 'published.yaml');
  if (published !== undefined) await writeFile(out, published);
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
    targetTypes,
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

describe('an agent with its own ConfigMap', () => {
  const agent = (place: MemoryPublisher, open = async () => ({ publisher: place })) => {
    const render: Output['render'] = (tools) => ({
      artifacts: [{ ...DOCUMENT, content: tools.map(({ tool }) => tool).join() }],
    });
    const toy: Output = { id: 'toy', documents: [{ ...DOCUMENT, check: FINE }], render, sizeOf: () => 10 };
    return { id: 'toy', outputs: outputsOf([toy]), open };
  };
  const DOCUMENT = { name: 'toy.txt', mediaType: 'text/plain' };
  const FINE = () => ({ faults: [], more: 0, refused: false });

  test('is kept up to date too, and overrides.yaml counts for it', async () => {
    const place = new MemoryPublisher();
    const tools = () => place.live?.data['toy.txt']?.split(',') ?? [];
    const first = await appWith({ targetTypes: [agent(place)] });
    await first.app.run(new AbortController().signal);
    expect(tools().length).toBeGreaterThan(2);
    expect(first.app.readModel.counters.publications).toBe(1);
    expect(first.app.readModel.targets.get('toy')).toMatchObject({ status: 'ok', tools: tools().length });
    const [off = ''] = tools();
    const overrides = `data:\n  overrides.yaml: "tools: { ${off}: { enabled: false } }"\n`;
    const published = (await readFile(first.out, 'utf8')).replace(/^data:\n/m, overrides);
    const second = await appWith({ published, targetTypes: [agent(place)] });
    await second.app.run(new AbortController().signal);
    expect(tools()).not.toContain(off);
    expect(place.live?.data).not.toHaveProperty(['overrides.yaml']);
  });

  test('is no target where the settings do not ask for it', async () => {
    const none = { ...agent(new MemoryPublisher()), open: async () => undefined };
    const { app } = await appWith({ targetTypes: [none] });
    await app.run(new AbortController().signal);
    expect(app.readModel.targets.size).toBe(0);
  });
});
