import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { json, kubeconfigFor, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { MemoryPublisher } from '../../test/fixtures/unit/memory-publisher.ts';
import { ConfigError } from '../model/errors.ts';
import type { Output } from '../outputs/output.ts';
import { outputsOf } from '../outputs/outputs.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type App, type AppOptions, createApp } from './app.ts';
import { chosenManifests } from './chosen-source.ts';
import { readConfiguration } from './configuration.ts';

const MANIFESTS = join(import.meta.dirname, '../../demo/cluster');

/** An app that reads manifests and publishes into a file, or into the cluster of a kubeconfig if there is one. */
async function appWith({
  once = true,
  env = {},
  manifests = MANIFESTS,
  texts = {},
  published,
  kubeconfig,
  targetTypes,
}: {
  once?: boolean;
  env?: Record<string, string>;
  manifests?: string;
  texts?: Record<string, string>;
  published?: string;
  kubeconfig?: string;
} & Pick<AppOptions, 'targetTypes'> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'app-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const out = join(folder, 'published.yaml');
  if (published !== undefined) await writeFile(out, published);
  const sources = {
    texts: { probe: 'none', shutdownDelay: '0s', authEnabled: 'false', apiAddress: '127.0.0.1:0', ...texts },
    env,
    file: undefined,
    detectorFolders: [],
  };
  const lines: Record<string, unknown>[] = [];
  const stream = new PassThrough();
  stream.on('data', (chunk) => {
    for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line));
  });
  const state = { reload: (): void => {} };
  const configuration = await readConfiguration(sources);
  const app: App = createApp({
    serveOptions: {
      input: {
        source: chosenManifests([manifests], process.stdin),
        onlyNamespaces: false,
        kubeconfig,
        origin: kubeconfig ?? '',
        context: undefined,
      },
      ...(kubeconfig === undefined ? { out } : {}),
      once,
      force: false,
    },
    host: { env, version: '1.2.3' },
    sources,
    configuration,
    targetTypes,
    logger: createLogger(configuration, stream),
    onReload: (reload) => {
      state.reload = reload;
    },
  });
  return {
    app,
    out,
    env,
    lines,
    reload: () => state.reload(),
    /** The port of a server, the last that was opened. */
    portOf: (server: string) =>
      lines.findLast(({ component, port }) => component === `${server}_server` && port !== undefined)?.port,
    said: (text: string) => lines.filter(({ message }) => String(message).includes(text)),
  };
}

test('with `once` it publishes and ends', async () => {
  const { app, out } = await appWith();
  await app.run(new AbortController().signal);
  expect(await readFile(out, 'utf8')).toContain('kind: ConfigMap');
  expect(app.readModel.counters.publications).toBe(1);
});

test('what approves a Service is in the document that it publishes, and not in a cluster', async () => {
  const { app, out, lines } = await appWith({ texts: { namespaces: '*' } });
  await app.run(new AbortController().signal);
  expect(JSON.stringify(lines)).toContain(
    `if you trust it: set approved: custom for shop/incident-api under tools in overrides.yaml of ${out}`,
  );
});

test('without it, it runs until the signal is aborted', async () => {
  const { app, out } = await appWith({ once: false });
  const stop = new AbortController();
  const ended = app.run(stop.signal);
  await vi.waitFor(() => expect(app.readModel.counters.publications).toBe(1), { timeout: 20_000 });
  expect(await readFile(out, 'utf8')).toContain('kind: ConfigMap');
  stop.abort();
  await ended;
});

test('contradicting options are an error with a class, and nothing is published', async () => {
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

  test('is updated too, and overrides.yaml applies to it', async () => {
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

  test('is no target unless the settings configure it', async () => {
    const none = { ...agent(new MemoryPublisher()), open: async () => undefined };
    const { app } = await appWith({ targetTypes: [none] });
    await app.run(new AbortController().signal);
    expect(app.readModel.targets.size).toBe(0);
  });
});

/** One backend, in a folder of its own. */
async function oneBackend(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'loki', namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'loki' } },
    spec: { selector: { app: 'loki' }, ports: [{ name: 'http', port: 3100 }] },
  };
  await writeFile(join(folder, 'loki.yaml'), JSON.stringify(service));
  return folder;
}

/** An app that runs until the test is over. */
async function starting(options: Parameters<typeof appWith>[0] = {}) {
  const all = await appWith({ once: false, manifests: await oneBackend(), ...options });
  const stop = new AbortController();
  const ended = all.app.run(stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  return { ...all, stop, ended };
}

/** The same, when it has published. */
async function running(options: Parameters<typeof appWith>[0] = {}) {
  const all = await starting(options);
  await vi.waitFor(() => expect(all.app.readModel.counters.publications).toBe(1), {
    interval: 2,
    timeout: 20_000,
  });
  return {
    ...all,
    async get(path: string, server = 'api') {
      // On a busy machine it may publish before the server listens.
      await soon(() => expect(all.portOf(server)).toBeDefined());
      return fetch(`http://127.0.0.1:${all.portOf(server)}${path}`);
    },
  };
}

const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { interval: 2, timeout: 10_000 });

describe('while it runs', () => {
  test('logs its actions, and serves its state', async () => {
    const { lines, get, app } = await running();
    expect(lines.find(({ message }) => String(message).startsWith('discovering backends in'))).toMatchObject({
      version: '1.2.3',
      interval: 300,
      detectors_count: expect.any(Number),
      registered_detectors: expect.arrayContaining(['loki']),
      message: expect.stringContaining('publishing to'),
    });
    await soon(async () => {
      const answer = await get('/api/v1/services');
      expect(((await answer.json()) as { services: unknown }).services).toMatchObject([
        { name: 'loki', namespace: 'monitoring' },
      ]);
    });
    expect(app.readModel.ready).toEqual({ kubernetes: true, configmap: true, discovery: true });
  });

  test('counts events, and shows the current state', async () => {
    const { get } = await running({ texts: { metricsAddress: '127.0.0.1:0' } });
    const metrics = await (await get('/metrics', 'metrics')).text();
    expect(metrics).toContain('version="1.2.3"');
    const value = (name: string): number[] =>
      [...metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].map(([, text]) =>
        Number(text),
      );
    const names = metrics.match(/^\w*(leader|ready)\b/gm) ?? [];
    expect(names).not.toEqual([]);
    for (const name of names) expect(new Set(value(name))).toEqual(new Set([1]));
    expect(metrics).toContain('loki');
  });

  test('a changed configuration is in force without a restart, and logged', async () => {
    const { env, reload, said, app, get } = await running({ env: { DISCOVERY_INTERVAL: '1h' } });
    const before = app.readModel.counters.cycles;
    env.ENABLE_LOKI = 'false';
    env.DISCOVERY_INTERVAL = '2h';
    reload();
    await soon(() => expect(app.readModel.counters.cycles).toBeGreaterThan(before));
    await soon(async () =>
      expect(((await (await get('/api/v1/services')).json()) as { services: unknown }).services).toEqual([]),
    );
    expect(said('DISCOVERY_INTERVAL').length + said('configuration').length).toBeGreaterThan(0);
  });

  test('an invalid one is logged, and the previous one continues', async () => {
    const { env, reload, lines, app } = await running();
    env.LOG_LEVEL = 'loud';
    reload();
    await soon(() =>
      expect(lines).toContainEqual(
        expect.objectContaining({ level: 'error', message: expect.stringContaining('LOG_LEVEL') }),
      ),
    );
    delete env.LOG_LEVEL;
    reload();
    await soon(() => expect(lines.at(-1)?.message).toContain('valid again'));
    expect(app.readModel.ready).toEqual({ kubernetes: true, configmap: true, discovery: true });
  });

  test('a port in use keeps the previous servers and the previous instance', async () => {
    const { env, reload, get, lines, portOf } = await running();
    const port = portOf('api');
    env.METRICS_ADDRESS = `127.0.0.1:${port}`;
    env.METRICS_AUTH_ENABLED = 'false';
    reload();
    await soon(() =>
      expect(lines.some(({ message }) => String(message).includes('cannot listen on'))).toBe(true),
    );
    expect((await get('/api/v1/services')).status).toBe(200);
    delete env.METRICS_ADDRESS;
  });

  test('the log has the level of the configuration', async () => {
    const { env, reload, lines, get } = await running();
    const isDebugged = () => lines.some(({ level }) => level === 'debug');
    await get('/api/v1/services');
    expect(isDebugged()).toBe(false);
    env.LOG_LEVEL = 'debug';
    reload();
    await soon(async () => {
      await get('/api/v1/services');
      expect(isDebugged()).toBe(true);
    });
  });
});

describe('when it stops', () => {
  test('before it starts, it ends, and nothing is published', async () => {
    const { app, out } = await appWith({ once: false, manifests: await oneBackend() });
    await app.run(AbortSignal.abort());
    await expect(readFile(out)).rejects.toThrow('ENOENT');
  });

  test('its servers are closed, and it logs that it stops', async () => {
    const { stop, ended, get, said } = await running();
    stop.abort();
    await ended;
    await expect(get('/api/v1/services')).rejects.toThrow();
    expect(said('stopping: no longer ready')).toHaveLength(1);
  });
});

describe('with a cluster', () => {
  test('manifests that are published there need its address', async () => {
    const { app } = await appWith({ kubeconfig: '/no/such/kubeconfig' });
    await expect(app.run(new AbortController().signal)).rejects.toThrow('/no/such/kubeconfig');
  });

  test('that does not answer, it is alive and not ready, and says what it waits for', async () => {
    const { server } = await kubeServer((response) => refuse(response, 503, 'ServiceUnavailable'));
    const { app, lines, portOf } = await starting({
      kubeconfig: await kubeconfigFor(server),
      texts: { healthAddress: '127.0.0.1:0' },
    });
    const get = (name: string, path: string) => fetch(`http://127.0.0.1:${portOf(name)}${path}`);
    await soon(() => expect(app.readModel.dependencies.kubernetes.status).toBe('failing'));
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'error',
        component: 'configuration',
        retry_in: expect.any(Number),
        message: expect.stringContaining('startup waits until its settings can be read'),
      }),
    );
    expect((await get('health', '/health')).status).toBe(200);
    const ready = await get('health', '/ready');
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('kubernetes')]);
    const answer = await get('api', '/api/v1/services');
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  });

  test('that has its settings, they are in force from the start', async () => {
    const { server } = await kubeServer((response, { path, query, watch }) => {
      if (watch) return response.flushHeaders();
      if (!path.endsWith('/configmaps')) return refuse(response, 403, 'Forbidden');
      const name = query.get('fieldSelector')?.split('=')[1] ?? '';
      const metadata = { namespace: 'kubernaut-system', name, resourceVersion: '1' };
      const data = { 'discovery-interval': '7m', 'log-level': 'debug' };
      json(response, { metadata: { resourceVersion: '1' }, items: [{ metadata, data }] });
    });
    const { said, lines, portOf } = await starting({ kubeconfig: await kubeconfigFor(server) });
    await soon(() => expect(said('discovering backends in')).toMatchObject([{ interval: 420 }]));
    await fetch(`http://127.0.0.1:${portOf('api')}/api/v1/services`);
    await soon(() => expect(lines.some(({ level }) => level === 'debug')).toBe(true));
  });

  test('that denies its settings, it warns and starts', async () => {
    const { server } = await kubeServer((response) => refuse(response, 403, 'Forbidden'));
    const { lines, said } = await starting({ kubeconfig: await kubeconfigFor(server) });
    await soon(() => expect(said('discovering backends in')).toHaveLength(1));
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        component: 'configuration',
        message: expect.stringContaining('its settings cannot be used'),
      }),
    );
  });
});

test('a server that cannot listen is an error, and none remains', async () => {
  const { app, portOf, lines } = await appWith({
    once: false,
    texts: { healthAddress: '127.0.0.1:0', apiAddress: '256.0.0.1:1' },
  });
  await expect(app.run(new AbortController().signal)).rejects.toThrow('cannot listen on 256.0.0.1:1');
  expect(lines.length).toBeGreaterThan(0);
  await expect(fetch(`http://127.0.0.1:${portOf('health')}/health`)).rejects.toThrow();
});
