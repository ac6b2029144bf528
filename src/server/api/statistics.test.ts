import { expect, test } from 'vitest';
import { discovered } from '../../../test/fixtures/unit/detection.ts';
import { passEvent } from '../../../test/fixtures/unit/pass-event.ts';
import { service } from '../../../test/fixtures/unit/service.ts';
import { ReadModel } from '../../controller/read-model.ts';
import type { Problem } from '../../model/discovery.ts';
import { statistics } from './statistics.ts';

const loki = (name: string, health: 'healthy' | 'unhealthy' | 'unknown') =>
  discovered(service(name, { labels: { app: 'loki' }, ports: ['http:3100'] }), health);

function byTypeWith(problems: readonly Problem[]): unknown {
  const readModel = new ReadModel({ now: () => new Date(0) });
  const services = [loki('a', 'healthy'), loki('b', 'healthy'), loki('c', 'unhealthy'), loki('d', 'unknown')];
  readModel.apply(passEvent(services, { problems }));
  return statistics(readModel, '1', true).discovery.byType;
}

test('backends are counted by type and health', () => {
  expect(byTypeWith([])).toEqual({ loki: { healthy: 2, unhealthy: 1, unknown: 1 } });
});

test('in an outage no backend is known to be healthy', () => {
  const outage = { where: 'probes', what: 'no backend can be reached' };
  expect(byTypeWith([outage])).toEqual({ loki: { healthy: 0, unhealthy: 1, unknown: 3 } });
});

test('an agent that cannot be updated is a problem of the toolset, known to the replica that publishes', () => {
  const readModel = new ReadModel({ now: () => new Date(0) });
  const problem = { where: 'HolmesGPT', what: 'cannot restart it', fix: 'grant it' };
  const failed = { kind: 'agent-state', cycle: 1, state: { problem }, before: undefined } as const;
  readModel.apply(failed);
  readModel.apply({ ...failed, targetId: 'toy' });
  const problems = (leader: boolean) => {
    const { toolset, targets } = statistics(readModel, '1', leader);
    return [toolset.problems, targets?.[0]?.problems];
  };
  expect(problems(true)).toEqual([[problem], [problem]]);
  expect(problems(false)).toEqual([[], []]);
});

test('other targets are listed, and none if there is one target', () => {
  const readModel = new ReadModel({ now: () => new Date(0) });
  expect(statistics(readModel, '1', true)).not.toHaveProperty('targets');
  const error = new Error('not now');
  readModel.apply({ kind: 'publish-failed', cycle: 1, attempt: 1, error, retryIn: 1, targetId: 'toy' });
  expect(statistics(readModel, '1', true).targets).toEqual([
    {
      id: 'toy',
      status: 'failing',
      since: '1970-01-01T00:00:00.000Z',
      error: 'not now',
      tools: null,
      lastPublished: null,
      problems: [],
    },
  ]);
});
