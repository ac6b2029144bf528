import { describe, expect, test } from 'vitest';
import type { Service } from '../../src/model/service.ts';
import { serviceKey } from '../../src/model/service.ts';
import { readOnce, type Source } from '../../src/sources/source.ts';
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

function toySource(registry: Registry): Source {
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
