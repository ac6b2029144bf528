import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { installed } from '../detectors/real-process.ts';
import type { AlertCase } from './alert-case.ts';
import { ALERTS_FILE, alertRules } from './alert-rules.ts';
import { DISCOVERY } from './discovery-cases.ts';
import { HEALTHY } from './installation.ts';
import { PUBLISHING } from './publishing-cases.ts';
import { SILENT } from './silent-cases.ts';

const promtool = installed('promtool');
const missing = promtool === undefined ? ' (skipped: promtool is missing, apt-get install prometheus)' : '';
const rules = alertRules();
const CASES: readonly AlertCase[] = [...SILENT, ...DISCOVERY, ...PUBLISHING];

function run(...args: string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(promtool ?? 'promtool', args, { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

/** A case as promtool takes it: all that is told of each alert, and that no other one fires. */
function unitTest({ change, at = '1h', fires }: AlertCase): object {
  const series = Object.entries({ ...HEALTHY, ...change }).filter(([, values]) => values !== null);
  return {
    interval: '30s',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    alert_rule_test: rules.map(({ alert, labels, annotations }) => ({
      eval_time: at,
      alertname: alert,
      exp_alerts: (fires[alert] ?? []).map((firing) => ({
        exp_labels: { ...labels, ...firing.labels },
        exp_annotations: { ...annotations, description: firing.description },
      })),
    })),
  };
}

test.skipIf(promtool === undefined)(`promtool takes the rules${missing}`, () => {
  const { status, said } = run('check', 'rules', ALERTS_FILE);
  expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
});

describe.skipIf(promtool === undefined)(`which alerts fire${missing}`, () => {
  test.each(CASES.map((each) => [`${each.name}, after ${each.at ?? '1h'}`, each] as const))(
    '%s',
    (_, given) => {
      const folder = mkdtempSync(join(tmpdir(), 'alerts-'));
      try {
        const file = join(folder, 'test.yaml');
        const tests = { rule_files: [ALERTS_FILE], evaluation_interval: '30s', tests: [unitTest(given)] };
        writeFileSync(file, stringify(tests));
        const { status, said } = run('test', 'rules', file);
        expect(status, said).toBe(0);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});

test('each alert fires in one of the cases, and no case names another one', () => {
  const fired = new Set(CASES.flatMap(({ fires }) => Object.keys(fires)));
  expect([...fired].sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

test.each(rules)('$alert has a name, a severity, and tells what to do', ({ alert, labels, annotations }) => {
  expect(alert).toMatch(/^DynamicToolset[A-Z][A-Za-z]+$/);
  expect(labels).toEqual({ severity: expect.stringMatching(/^(critical|warning|info)$/) });
  expect(annotations).toEqual({
    summary: expect.stringMatching(/\.$/),
    description: expect.stringMatching(/\.$/),
    runbook: `docs/runbook.md#${alert.toLowerCase()}`,
  });
});
