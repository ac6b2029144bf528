import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { probeSpec } from '../model/proof.ts';
import { createProber } from './prober.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const KINDS = [
  { detector: 'prometheus', title: 'Prometheus', path: '', spec: probeSpec.parse({ health: ['/healthy'] }) },
];

test('a finished probe leaves nothing behind in a long-lived process', async () => {
  const life = new AbortController();
  const signals: WeakRef<AbortSignal>[] = [];
  const prober = createProber(
    KINDS,
    {
      fetch: async (_candidate, _ask, signal) => {
        signals.push(new WeakRef(signal));
        // As a request does, which listens until its answer is there.
        const onAbort = (): void => {};
        signal.addEventListener('abort', onAbort, { once: true });
        await sleep(1);
        signal.removeEventListener('abort', onAbort);
        return { status: 200, headers: {}, body: 'ok' };
      },
    },
    { concurrency: 8, timeout: 5_000 },
  );
  const backend = candidate(service('prometheus', { labels: { app: 'prometheus' }, ports: ['web:9090'] }));
  for (let round = 0; round < 100; round++)
    expect(await prober.probe(backend, life.signal)).toMatchObject({ health: 'healthy' });
  expect(getEventListeners(life.signal, 'abort')).toEqual([]);
  await sleep(20);
  collectGarbage();
  await sleep(20);
  collectGarbage();
  expect(signals.length).toBeGreaterThanOrEqual(100);
  // The last ones may still stand in a frame of the test itself.
  expect(signals.filter((signal) => signal.deref() !== undefined).length).toBeLessThanOrEqual(2);
});
