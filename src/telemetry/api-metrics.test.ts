import { expect, test } from 'vitest';
import { apiMetrics } from './api-metrics.ts';
import { MetricSet } from './metric-set.ts';

async function scrape(use: (metrics: ReturnType<typeof apiMetrics>) => void): Promise<string[]> {
  const set = new MetricSet();
  use(apiMetrics(set));
  return (await set.registry.metrics()).split('\n');
}

const route = '/api/v1/toolsets/:name';

test('requests are counted by method, route and status, and failures once more', async () => {
  const lines = await scrape(({ answered }) => {
    answered({ method: 'GET', route, status: 200, milliseconds: 4 });
    answered({ method: 'GET', route, status: 404, milliseconds: 2 });
  });
  for (const line of [
    `api_requests_total{method="GET",route="${route}",status="200"} 1`,
    `api_requests_total{method="GET",route="${route}",status="404"} 1`,
    `api_request_duration_seconds_sum{method="GET",route="${route}"} 0.006`,
    `api_errors_total{route="${route}",status="404"} 1`,
  ])
    expect(lines).toContain(`dynamic_toolset_${line}`);
  expect(lines.filter((line) => line.startsWith('dynamic_toolset_api_errors_total{'))).toHaveLength(1);
});

test('admitted requests are counted, and rejected ones by reason', async () => {
  const lines = await scrape(({ authenticated }) => {
    authenticated({ outcome: 'accepted', milliseconds: 3 });
    authenticated({ outcome: 'refused', reason: 'malformed', milliseconds: 1 });
  });
  for (const line of [
    'auth_attempts_total 2',
    'auth_failures_total{reason="malformed"} 1',
    'auth_failures_total{reason="invalid"} 0',
    'auth_duration_seconds_sum 0.004',
  ])
    expect(lines).toContain(`dynamic_toolset_${line}`);
});

test('unknown methods share one label', async () => {
  const lines = await scrape(({ answered }) => {
    for (let n = 0; n < 1_000; n++) answered({ method: `EVIL${n}`, route, status: 405, milliseconds: 1 });
  });
  expect(lines.filter((line) => line.startsWith('dynamic_toolset_api_requests_total{'))).toEqual([
    `dynamic_toolset_api_requests_total{method="other",route="${route}",status="405"} 1000`,
  ]);
});
