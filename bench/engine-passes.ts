import { once } from 'node:events';
import { readConfiguration } from '../src/app/configuration.ts';
import { openInput, stagesOf } from '../src/app/pipeline.ts';
import { targetOf } from '../src/app/target.ts';
import { Engine } from '../src/controller/engine.ts';
import type { EngineEvent } from '../src/controller/events.ts';
import type { KubeClient } from '../src/kubernetes/connection.ts';
import { OUTPUTS } from '../src/outputs/registry.ts';
import type { Prober } from '../src/probing/prober.ts';
import { ScheduledProber } from '../src/probing/scheduled-prober.ts';
import type { Change } from '../src/sources/source.ts';
import type { Target } from './serve.ts';

/** One pass. Times are in milliseconds. */
export interface Passed {
  /** Total: list, debounce, detection, probes, generation, the ConfigMap and its history. */
  readonly whole: number;
  /** Detection and probes, as the pass event reports it. */
  readonly looking: number;
  /** The list, and detection of each Service. */
  readonly listed: number;
  readonly healthy: number;
  /** The requests of each probe in this pass. */
  readonly requests: readonly number[];
}

/** The state of `serve` between passes, in this process. */
export interface Passes {
  readonly kube: KubeClient;
  /** Runs one full pass with the state of earlier ones, as in a running `serve`. */
  pass(): Promise<Passed>;
  close(): Promise<void>;
}

/** Builds the stages as `serve` does, to time a pass without starting a process. */
export async function openPasses(
  { config, kubeconfig, env }: Target,
  configMapName: string,
  namespaces = '*',
): Promise<Passes> {
  const stop = new AbortController();
  const sources = {
    texts: {},
    env: { ...env, CONFIGMAP_NAME: configMapName, NAMESPACES: namespaces },
    file: config,
    detectorFolders: [],
  };
  const settings = await readConfiguration(sources);
  const cluster = {
    source: undefined,
    onlyNamespaces: false,
    kubeconfig,
    origin: kubeconfig,
    context: undefined,
  };
  const input = await openInput(cluster, settings, false);
  const { kube } = input;
  if (kube === undefined) throw new Error('a pass of the benchmark needs a cluster');
  const { prober, ...stages } = await stagesOf(settings, input, {
    readiness: { changed: () => {}, signal: stop.signal },
  });
  let requests: number[] = [];
  const counted: Prober = {
    ...(prober.prepare === undefined ? {} : { prepare: prober.prepare.bind(prober) }),
    async probe(candidate, signal) {
      const verdict = await prober.probe(candidate, signal);
      requests.push(verdict.steps.length);
      return verdict;
    },
  };
  const scheduled = new ScheduledProber(counted, {
    refreshInterval: settings.discoveryInterval * 0.9,
    now: () => performance.now(),
    random: Math.random,
  });
  const trigger = Promise.withResolvers<(change: Change) => void>();
  const waiting = new Set<(event: EngineEvent) => void>();
  const engine = new Engine({
    source: {
      async run(changed, signal) {
        trigger.resolve(changed);
        await once(signal, 'abort');
      },
    },
    stages: { ...stages, prober: scheduled },
    targets: [
      {
        id: 'home',
        generation: settings,
        publisher: targetOf(kube, settings),
        outputs: OUTPUTS,
        owner: async () => undefined,
        force: false,
        removalHold: 300_000,
      },
    ],
    version: '0.0.0',
    now: () => new Date(),
    emit: (event) => {
      for (const listen of waiting) listen(event);
    },
    once: false,
  });
  const running = engine.run(stop.signal);
  const pass = async (): Promise<Passed> => {
    const changed = await trigger.promise;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let looked: Extract<EngineEvent, { kind: 'pass' }> | undefined;
    const listen = (event: EngineEvent): void => {
      if (event.kind === 'pass') looked = event;
      else if (event.kind === 'publish-failed') reject(event.error);
      else if (event.kind === 'reconciled' && event.ok && looked !== undefined) resolve();
    };
    waiting.add(listen);
    requests = [];
    const started = performance.now();
    await input.source.run(changed, stop.signal);
    const listed = performance.now() - started;
    await Promise.race([promise, running]);
    const whole = performance.now() - started;
    waiting.delete(listen);
    if (looked === undefined) throw new Error('the engine ended without a pass');
    const healthy = looked.services.filter(({ verdict }) => verdict.health === 'healthy').length;
    return { whole, listed, looking: looked.milliseconds, healthy, requests };
  };
  const close = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  return { kube, pass, close };
}
