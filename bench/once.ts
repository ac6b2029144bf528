import { settingsOf } from '../src/cli/configuration.ts';
import { openInput, stagesOf } from '../src/cli/pipeline.ts';
import { targetOf } from '../src/cli/target.ts';
import { Engine } from '../src/engine/engine.ts';
import type { EngineEvent } from '../src/engine/events.ts';
import { documentFaults } from '../src/generate/check.ts';
import type { Kube } from '../src/kube/connection.ts';
import { ScheduledProber } from '../src/probe/schedule.ts';
import type { Target } from './serve.ts';

/** One pass that was made. Times in milliseconds. */
export interface Passed {
  /** All of it: the list, detection, probes, what is generated, the ConfigMap and its history. */
  readonly whole: number;
  /** Detection's answer and probes. */
  readonly looking: number;
  readonly healthy: number;
}

/** What `serve` keeps between passes, in this process. */
export interface Passes {
  readonly kube: Kube;
  /** One full pass: with what is remembered of earlier ones, as a running `serve` makes it. */
  pass(): Promise<Passed>;
  close(): void;
}

/** The stages of `serve`, put together as it does, so that a pass can be made and timed without the start of a process. */
export async function openPasses(
  { config, kubeconfig, env }: Target,
  configMapName: string,
  namespaces = '*',
): Promise<Passes> {
  const stop = new AbortController();
  const run = {
    env: { ...env, CONFIGMAP_NAME: configMapName, NAMESPACES: namespaces },
    stdin: process.stdin,
    output: { result: process.stdout, messages: process.stderr },
    version: '0.0.0',
    signal: stop.signal,
  };
  const flags = { config, kubeconfig };
  const settings = settingsOf(flags, run);
  const input = await openInput(flags, settings, run, false);
  const { kube } = input;
  if (kube === undefined) throw new Error('a pass of the benchmark needs a cluster');
  const { prober, ...stages } = await stagesOf(settings, input, { changed: () => {}, signal: stop.signal });
  const scheduled = new ScheduledProber(prober, {
    refresh: settings.discoveryInterval * 0.9,
    now: () => performance.now(),
    random: Math.random,
  });
  const publisher = targetOf(kube, settings);
  const pass = async (): Promise<Passed> => {
    let looked: Extract<EngineEvent, { kind: 'pass' }> | undefined;
    const engine = new Engine({
      source: input.source,
      stages: { ...stages, prober: scheduled },
      generation: settings,
      publisher,
      nextRetry: () => undefined,
      version: run.version,
      now: () => new Date(),
      faultsOf: documentFaults,
      owner: async () => undefined,
      agent: undefined,
      tell: (event) => {
        if (event.kind === 'pass') looked = event;
      },
      force: true,
      once: true,
    });
    const started = performance.now();
    await engine.run(stop.signal);
    const whole = performance.now() - started;
    if (looked === undefined) throw new Error('the engine ended without a pass');
    const healthy = looked.services.filter(({ verdict }) => verdict.health === 'healthy').length;
    return { whole, looking: looked.milliseconds, healthy };
  };
  return { kube, pass, close: () => stop.abort() };
}
