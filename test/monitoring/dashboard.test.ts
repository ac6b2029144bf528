import { expect, test } from 'vitest';
import { OUTPUTS } from '../../src/outputs/registry.ts';
import { apiMetrics } from '../../src/telemetry/api-metrics.ts';
import { engineMetrics } from '../../src/telemetry/engine-metrics.ts';
import { MetricSet } from '../../src/telemetry/metric-set.ts';
import { stateMetrics } from '../../src/telemetry/state-metrics.ts';
import { alertRules } from './alert-rules.ts';
import {
  alertExpressions,
  type DashboardPanel,
  dashboard,
  dashboardExpressions,
  selectorsIn,
} from './expressions.ts';

const { panels, templating } = dashboard();
const shown = panels.filter(({ type }) => type !== 'row');

/** Labels that Prometheus gives to all that it scrapes. */
const OF_TARGETS = ['namespace', 'job', 'instance', 'pod', 'cluster'];

function overlap({ gridPos: a }: DashboardPanel, { gridPos: b }: DashboardPanel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

test('each panel has a unique id, and none overlap in a grid 24 columns wide', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const panel of panels) {
    expect(panel.gridPos.x + panel.gridPos.w, panel.title).toBeLessThanOrEqual(24);
    const others = panels.filter((other) => other !== panel && overlap(panel, other));
    expect(others.map(({ title }) => title)).toEqual([]);
  }
});

test.each(shown)(
  'the panel "$title" has a query, and explains what a bad value means',
  ({ targets, description }) => {
    expect(targets?.length).toBeGreaterThan(0);
    for (const { expr, legendFormat } of targets ?? []) {
      expect(expr).toMatch(/namespace=~"\$namespace", job=~"\$job"|^sum by \(alertname\) \(ALERTS/);
      expect(legendFormat).not.toBe('');
    }
    expect(description).toMatch(/\w+.*\./);
  },
);

test('each runbook section that a panel links to belongs to an alert', () => {
  const sections = shown.flatMap(({ description = '' }) =>
    [...description.matchAll(/docs\/runbook\.md#(\w+)/g)].map(([, anchor]) => anchor),
  );
  expect(sections.length).toBeGreaterThan(30);
  expect(alertRules().map(({ alert }) => alert.toLowerCase())).toEqual(expect.arrayContaining(sections));
});

test('the viewer chooses the data source, the namespace and the job', () => {
  expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'namespace', 'job']);
  const sources = [...JSON.stringify(dashboard()).matchAll(/"uid":"([^"]*)"/g)].map(([, uid]) => uid);
  expect(new Set(sources)).toEqual(new Set(['$datasource', 'dynamic-toolset']));
});

test('each metric in a query is exported by the program or its runtime, with the labels that the query uses', async () => {
  const set = new MetricSet();
  engineMetrics(set, { known: () => true, documents: () => OUTPUTS.names });
  stateMetrics(set, {
    version: '',
    leads: () => true,
    ready: () => ({}),
    interval: () => 0,
    backends: () => [],
    disproven: () => 0,
  });
  apiMetrics(set);
  const scraped = await set.registry.getMetricsAsJSON();
  const labels = new Map<string, readonly string[]>(scraped.map(({ name }) => [name, []]));
  for (const { name, type, labels: own } of set.described) {
    labels.set(name, own);
    for (const part of type === 'histogram' ? ['_bucket', '_sum', '_count'] : [])
      labels.set(`${name}${part}`, [...own, 'le']);
  }
  const unknown = [...alertExpressions(), ...dashboardExpressions()].flatMap(({ where, expr }) =>
    selectorsIn(expr).flatMap(({ name, labels: asked }) => {
      const known = labels.get(name);
      if (known === undefined) return [`${where}: ${name}`];
      const strange = asked.filter((label) => ![...known, ...OF_TARGETS].includes(label));
      return strange.map((label) => `${where}: ${name}{${label}}`);
    }),
  );
  expect(unknown).toEqual([]);
});
