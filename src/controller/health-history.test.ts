import { expect, test } from 'vitest';
import type { Backend } from '../model/backend.ts';
import type { BackendId } from '../model/backend-id.ts';
import type { Health, Verdict } from '../model/discovery.ts';
import { HealthHistories } from './health-history.ts';

const id = 'loki' as unknown as BackendId;
const verdict = (health: Health, reason: string): Verdict => ({
  health,
  authRequired: false,
  proof: 'proven',
  reason,
  steps: [],
});
const backend = (each: Verdict): Backend => ({ id, found: { verdict: each } }) as unknown as Backend;
const at = (second: number): Date => new Date(second * 1000);

test('has an entry for each change, with its time, but none for an equal verdict of another probe', () => {
  const histories = new HealthHistories();
  const fine = verdict('healthy', 'fine');
  histories.record([backend(fine)], at(1));
  histories.record([backend({ ...fine })], at(2));
  histories.record([backend(verdict('unhealthy', 'down'))], at(3));
  expect(histories.of(id)).toEqual({
    discoveredAt: at(1),
    checkedAt: at(3),
    health: [
      { time: at(1), health: 'healthy', reason: 'fine' },
      { time: at(3), health: 'unhealthy', reason: 'down' },
    ],
  });
});

test('a cached verdict is not a probe', () => {
  const histories = new HealthHistories();
  const fine = verdict('healthy', 'fine');
  histories.record([backend(fine)], at(1));
  histories.record([backend(fine)], at(2));
  expect(histories.of(id)?.checkedAt).toEqual(at(1));
});

test('keeps the last ten changes', () => {
  const histories = new HealthHistories();
  for (let second = 1; second <= 25; second++)
    histories.record([backend(verdict(second % 2 ? 'healthy' : 'unhealthy', `${second}`))], at(second));
  expect(histories.of(id)?.health.map(({ reason }) => reason)).toEqual(
    Array.from({ length: 10 }, (_, index) => String(16 + index)),
  );
});

test('forgets a deleted backend, which starts again', () => {
  const histories = new HealthHistories();
  histories.record([backend(verdict('healthy', 'fine'))], at(1));
  histories.record([], at(2));
  expect(histories.of(id)).toBeUndefined();
  histories.record([backend(verdict('healthy', 'fine'))], at(3));
  expect(histories.of(id)?.discoveredAt).toEqual(at(3));
});
