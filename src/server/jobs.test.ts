import { expect, test } from 'vitest';
import { Jobs } from './jobs.ts';

test('the jobs of many other clients, or many of one, drop no others', () => {
  const jobs = new Jobs(() => new Date(0));
  const start = (client: string) => jobs.start(new Promise<never>(() => {}), client).job;
  const mine = start('ann');
  for (let client = 0; client < 100; client++) for (let each = 0; each < 30; each++) start(`${client}`);
  expect(jobs.get(mine.id)).toBe(mine);
  const next = Array.from({ length: 20 }, () => start('ann'));
  expect(jobs.get(mine.id)).toBeUndefined();
  for (const job of next) expect(jobs.get(job.id)).toBe(job);
});
