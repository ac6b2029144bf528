import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { SOURCE_FLAGS, type SourceFlag } from '../../src/cli/source-flags.ts';
import type { Service } from '../../src/model/service.ts';
import { serviceKey } from '../../src/model/service.ts';
import { readOnce, type Source } from '../../src/sources/source.ts';
import { cliContext, type Written } from '../fixtures/unit/cli.ts';
import { enginesOnFakeTimers } from '../fixtures/unit/engine.ts';
import { service } from '../fixtures/unit/service.ts';

// ---- The whole source: what a file in src/sources would hold.

/** A registry that lists addresses, and reports changes of single ones. */
class Registry {
  readonly #addresses = new Map<string, string>();
  #listener: ((name: string) => void) | undefined;
  isAway = false;

  list(): ReadonlyMap<string, string> {
    if (this.isAway) throw new Error('the registry is away');
    return this.#addresses;
  }
  set(name: string, product: string | undefined): void {
    if (product === undefined) this.#addresses.delete(name);
    else this.#addresses.set(name, product);
    this.#listener?.(name);
  }
  subscribe(listener: (name: string) => void): void {
    this.#listener = listener;
  }
}

const RETRY = 1_000;

const asService = (name: string, product: string): Service =>
  service(name, { labels: { 'app.kubernetes.io/name': product }, ports: ['http-metrics:3100'] });

function toySource(registry: Registry, watches = true): Source {
  return {
    async run(emit, signal) {
      const list = (): boolean => {
        try {
          const services = [...registry.list()].map(([name, product]) => asService(name, product));
          emit({ kind: 'sync', services, stale: [], problems: [] });
          return true;
        } catch (error) {
          emit({ kind: 'failure', error, reason: 'network', retryIn: RETRY });
          return false;
        }
      };
      if (!watches) {
        list();
        return;
      }
      while (!signal.aborted && !list()) await new Promise((resolve) => setTimeout(resolve, RETRY));
      registry.subscribe((name) => {
        const product = registry.list().get(name);
        if (product === undefined)
          emit({ kind: 'delete', key: serviceKey({ cluster: '', namespace: 'monitoring', name }) });
        else emit({ kind: 'upsert', service: asService(name, product) });
      });
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
}

// ---- The entry that `SOURCE_FLAGS` would have.

const flagOf = (registry: Registry): SourceFlag => ({
  flag: '--toy-registry',
  placeholder: 'address',
  description: 'read a registry instead of a cluster',
  choose: ([address = '']) => ({
    where: address,
    words: ['--toy-registry', address],
    readsStdin: false,
    open: async ({ follow }) => toySource(registry, follow !== undefined),
  }),
});

// ---- What the others make of it.

const startEngine = enginesOnFakeTimers();

describe('a source in one file', () => {
  test('its Services are detected, probed and published, and so are changes', async () => {
    const registry = new Registry();
    registry.set('loki', 'loki');
    const { publisher, probe, settle } = startEngine({ source: toySource(registry) });
    await settle();
    expect(publisher.tools).toEqual(['loki.monitoring']);
    expect(probe).toHaveBeenCalledTimes(1);
    registry.set('logs', 'loki');
    await settle();
    expect(publisher.tools).toEqual(['logs.monitoring', 'loki.monitoring']);
    registry.set('loki', undefined);
    await settle();
    expect(publisher.tools).toEqual(['logs.monitoring']);
  });

  test('while it cannot be read, nothing is published and the error is reported; then it recovers', async () => {
    const registry = new Registry();
    registry.set('loki', 'loki');
    registry.isAway = true;
    const { publisher, settle, told } = startEngine({ source: toySource(registry) });
    await settle(500);
    expect(told('source-failed')).toMatchObject([{ reason: 'network', retryIn: RETRY }]);
    expect(publisher.applied).toEqual([]);
    registry.isAway = false;
    await settle(2_000);
    expect(publisher.tools).toEqual(['loki.monitoring']);
  });

  test('a command reads it once', async () => {
    const registry = new Registry();
    registry.set('loki', 'loki');
    const { services } = await readOnce(toySource(registry), new AbortController().signal);
    expect(services.map(({ name }) => name)).toEqual(['loki']);
  });
});

describe('its flag on the command line', () => {
  beforeEach(() => void vi.useRealTimers());

  /** Runs a command with the flag, without a cluster. */
  async function run(...words: readonly string[]): Promise<Written> {
    const registry = new Registry();
    registry.set('loki', 'loki');
    registry.set('loki-canary', 'loki-canary');
    const flags = SOURCE_FLAGS as SourceFlag[];
    flags.push(flagOf(registry));
    const { cli, written } = cliContext({ env: { KUBECONFIG: '/nowhere' } });
    try {
      const args = [...words, '--toy-registry', 'reg.test'];
      await createProgram(cli, () => {}).parseAsync(args, { from: 'user' });
    } finally {
      flags.pop();
    }
    return written;
  }

  test('discover and generate read it', async () => {
    expect((await run('discover', '-o', 'name')).result).toBe('monitoring/loki\n');
    const { result } = await run('generate', '--format', 'toolset-json');
    expect(JSON.parse(result).tools).toMatchObject([{ name: 'loki.monitoring' }]);
  });

  test('explain repeats the flag in its advice, and changes no cluster', async () => {
    const { result } = await run('explain', 'monitoring/loki-canary');
    expect(result).toContain('dynamic-toolset discover -n monitoring --toy-registry reg.test\n');
    expect(result).not.toContain('kubectl');
  });

  test('serve publishes it to a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'toy-source-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const out = join(folder, 'published.yaml');
    await run('serve', '--once', '--out', out);
    expect(await readFile(out, 'utf8')).toContain('loki.monitoring');
  });

  test('it and the flag of another source exclude each other', async () => {
    await expect(run('discover', '-f', 'services.yaml')).rejects.toThrow(
      '--filename and --toy-registry exclude each other',
    );
  });
});
