import { expect, test } from 'vitest';
import type { EngineEvent } from './events.ts';
import { View } from './view.ts';

test('only what shows makes another revision and is told: not each of the thousand probes of a pass', () => {
  const view = new View(() => new Date(0));
  let told = 0;
  view.listen(() => told++);
  const quiet: EngineEvent[] = [
    { kind: 'probe-began' },
    { kind: 'probe-ended', type: 'loki', milliseconds: 3 },
    { kind: 'watch-event', change: 'upsert' },
    { kind: 'generated', cycle: 1, ok: true },
  ];
  for (const event of quiet) view.take(event);
  expect([view.revision, told]).toEqual([0, 0]);

  const published = { data: {}, labels: {}, annotations: {}, managers: [], version: '7' };
  view.take({ kind: 'observed', live: published });
  expect([view.revision, told, view.published]).toEqual([1, 1, published]);
  view.take({ kind: 'source-failed', error: new Error('away'), reason: 'network', retryIn: 1 });
  expect([view.revision, told, view.dependencies.kubernetes.status]).toEqual([2, 2, 'failing']);
});
