import { join } from 'node:path';
import { Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { loki } from '../../test/fixtures/unit/engine.ts';
import { json, kubeServer } from '../../test/fixtures/unit/kube-server.ts';
import type { EngineEvent } from '../controller/events.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type AppInstance, createAppInstance } from './app-instance.ts';
import { readConfiguration } from './configuration.ts';

const MANIFESTS = join(import.meta.dirname, '../../demo/cluster');

/** Makes instances that read manifests and publish into a file, or into a cluster if there is one. */
async function setup(cluster?: KubeClient) {
  const told: EngineEvent[] = [];
  const { log } = createLogger(
    await readConfiguration({ texts: {}, env: {}, file: undefined, detectorFolders: [] }),
    new Writable({ write: (_chunk, _encoding, done) => done() }),
  );
  const input = {
    manifests: [MANIFESTS],
    onlyNamespaces: false,
    kubeconfig: undefined,
    origin: '',
    context: undefined,
    stdin: process.stdin,
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
    async create(texts: Record<string, string> = {}, before?: AppInstance): Promise<AppInstance> {
      const all = { probe: 'none', ...texts };
      const settings = await readConfiguration({ texts: all, env: {}, file: undefined, detectorFolders: [] });
      return await createAppInstance(settings, context, before);
    },
  };
}

const DRIFT = { kind: 'drift', cycle: 1, keys: ['toolset.json'], diff: [] } as const;

test('Kubernetes Events report what happens to the home target, before the instance ends', async () => {
  const { kube, asked } = await kubeServer((response) => json(response, {}));
  const { told, create } = await setup(kube);
  const { engine, end } = await create();
  engine.emit({ ...DRIFT, targetId: 'toy' });
  engine.emit(DRIFT);
  await end();
  expect(told).toEqual([{ ...DRIFT, targetId: 'toy' }, DRIFT]);
  expect(asked.filter(({ path }) => path.endsWith('/events'))).toHaveLength(1);
});

test('a replica that does not lead writes no Kubernetes Events', async () => {
  const { kube, asked } = await kubeServer((response) => json(response, {}));
  const { told, create } = await setup(kube);
  const { engine, end } = await create({ leaderElection: 'true' });
  engine.emit(DRIFT);
  await end();
  expect(told).toEqual([DRIFT]);
  expect(asked).toEqual([]);
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
