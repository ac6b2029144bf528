import { expect, test } from 'vitest';
import type { Condition } from '../model/condition.ts';
import { MetricSet } from './metric-set.ts';
import { stateMetrics } from './state-metrics.ts';

test('a scrape has the current state', async () => {
  const set = new MetricSet();
  const condition = (type: Condition['type'], status: Condition['status'], reason: Condition['reason']) => ({
    type,
    status,
    reason,
    message: 'a text of a tenant',
    lastTransitionTime: new Date(0),
  });
  const entryPoint = { service: { cluster: '' } };
  const sick = {
    entryPoint,
    conditions: [condition('Healthy', 'False', 'Timeout'), condition('Published', 'False', 'Unhealthy')],
  };
  const well = {
    entryPoint,
    conditions: [condition('Healthy', 'True', 'ProbeSucceeded'), condition('Published', 'True', 'InToolset')],
  };
  let backends = [sick, sick, well];
  const state = {
    leads: true,
    ready: { kubernetes: true, discovery: false },
    interval: 60_000,
    disproven: 0,
  };
  stateMetrics(set, {
    version: '1.2.3',
    leads: () => state.leads,
    ready: () => state.ready,
    interval: () => state.interval,
    backends: () => backends,
    disproven: () => state.disproven,
  });
  const scrape = async (): Promise<string[]> =>
    (await set.registry.metrics()).split('\n').filter((line) => line.startsWith('dynamic_toolset_'));
  expect(await scrape()).toEqual([
    'dynamic_toolset_build_info{version="1.2.3"} 1',
    'dynamic_toolset_leader 1',
    'dynamic_toolset_ready{check="kubernetes"} 1',
    'dynamic_toolset_ready{check="discovery"} 0',
    'dynamic_toolset_discovery_interval_seconds 60',
    'dynamic_toolset_backend_conditions{condition="Healthy",status="False",reason="Timeout"} 2',
    'dynamic_toolset_backend_conditions{condition="Published",status="False",reason="Unhealthy"} 2',
    'dynamic_toolset_backend_conditions{condition="Healthy",status="True",reason="ProbeSucceeded"} 1',
    'dynamic_toolset_backend_conditions{condition="Published",status="True",reason="InToolset"} 1',
  ]);
  backends = [well];
  Object.assign(state, {
    leads: false,
    ready: { kubernetes: false, discovery: true },
    interval: 1_500,
    disproven: 2,
  });
  expect(await scrape()).toEqual([
    'dynamic_toolset_build_info{version="1.2.3"} 1',
    'dynamic_toolset_leader 0',
    'dynamic_toolset_ready{check="kubernetes"} 0',
    'dynamic_toolset_ready{check="discovery"} 1',
    'dynamic_toolset_discovery_interval_seconds 1.5',
    'dynamic_toolset_backend_conditions{condition="Healthy",status="True",reason="ProbeSucceeded"} 1',
    'dynamic_toolset_backend_conditions{condition="Published",status="True",reason="InToolset"} 1',
    'dynamic_toolset_backend_conditions{condition="Proven",status="False",reason="AnsweredAsSomethingElse"} 2',
    'dynamic_toolset_backend_conditions{condition="Published",status="False",reason="NotProven"} 2',
  ]);
});
