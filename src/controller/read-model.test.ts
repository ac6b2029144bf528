import { expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Verdict } from '../model/discovery.ts';
import type { EngineEvent } from './events.ts';
import { ReadModel } from './read-model.ts';

test('only what shows makes another revision and is told: not each of the thousand probes of a pass', () => {
  const readModel = new ReadModel(() => new Date(0));
  let told = 0;
  readModel.subscribe(() => told++);
  const quiet: EngineEvent[] = [
    { kind: 'probe-began' },
    { kind: 'probe-ended', type: 'loki', milliseconds: 3 },
    { kind: 'watch-event', change: 'upsert' },
    { kind: 'generated', cycle: 1, ok: true },
  ];
  for (const event of quiet) readModel.apply(event);
  expect([readModel.revision, told]).toEqual([0, 0]);

  const published = { data: {}, labels: {}, annotations: {}, managers: [], version: '7' };
  readModel.apply({ kind: 'observed', live: published });
  expect([readModel.revision, told, readModel.published]).toEqual([1, 1, published]);
  readModel.apply({ kind: 'source-failed', error: new Error('away'), reason: 'network', retryIn: 1 });
  expect([readModel.revision, told, readModel.dependencies.kubernetes.status]).toEqual([2, 2, 'failing']);
});

test('the history of a backend has an entry for each change, and tells when it was asked last', () => {
  let clock = 0;
  const readModel = new ReadModel(() => new Date(clock));
  const loki = discovered(
    service('loki', { labels: { 'app.kubernetes.io/name': 'loki' }, ports: ['http:3100'] }),
  );
  const pass = (verdict: Partial<Verdict>): void => {
    clock++;
    const services = [{ ...loki, verdict: { ...loki.verdict, ...verdict } }];
    const times = { examined: 1, milliseconds: 1, detecting: 1, changedAt: undefined };
    readModel.apply({ kind: 'pass', cycle: clock, full: true, before: [], services, problems: [], ...times });
  };
  for (let round = 0; round < 20; round++) pass({});
  pass({ health: 'unhealthy', fault: 'timeout', reason: 'no answer within 5.0 s' });
  pass({ health: 'unhealthy', fault: 'timeout', reason: 'no answer within 5.1 s' });
  pass({ health: 'unhealthy', fault: 'resolution', reason: 'its name does not resolve' });
  pass({ health: 'unhealthy', reason: 'GET / answered 500 a text' });
  pass({ health: 'unhealthy', reason: 'GET / answered 500 another text' });
  const history = readModel.history(loki);
  expect(history?.health.map(({ time, reason }) => [time.getTime(), reason])).toEqual([
    [1, 'GET / answered 200'],
    [21, 'no answer within 5.0 s'],
    [23, 'its name does not resolve'],
    [24, 'GET / answered 500 a text'],
  ]);
  expect(history?.checkedAt).toEqual(new Date(25));
});
