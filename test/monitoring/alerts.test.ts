import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
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

/** Cases of the same installation, which promtool plays once for all of them. */
const GROUPS = Object.values(Object.groupBy(CASES, ({ name, change }) => JSON.stringify([name, change])));

async function run(...args: string[]): Promise<{ readonly status: unknown; readonly said: string }> {
  return promisify(execFile)(promtool ?? 'promtool', args).then(
    ({ stdout, stderr }) => ({ status: 0, said: stdout + stderr }),
    ({ code, stdout, stderr }) => ({ status: code, said: `${stdout}${stderr}` }),
  );
}

/** Cases for promtool: the full content of each expected alert, and that no other one fires. */
function unitTest(cases: readonly AlertCase[]): object {
  const series = Object.entries({ ...HEALTHY, ...cases[0]?.change }).filter(([, values]) => values !== null);
  return {
    interval: '30s',
    input_series: series.map(([name, values]) => ({ series: name, values })),
    alert_rule_test: cases.flatMap(({ at = '1h', fires }) =>
      rules.map(({ alert, labels, annotations }) => ({
        eval_time: at,
        alertname: alert,
        exp_alerts: (fires[alert] ?? []).map((firing) => ({
          exp_labels: { ...labels, ...firing.labels },
          exp_annotations: { ...annotations, description: firing.description },
        })),
      })),
    ),
  };
}

test.skipIf(promtool === undefined)(`promtool takes the rules${missing}`, async () => {
  const { status, said } = await run('check', 'rules', ALERTS_FILE);
  expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining('SUCCESS') });
});

describe.skipIf(promtool === undefined).concurrent(`which alerts fire${missing}`, () => {
  const titled = GROUPS.map((cases = []) => {
    const times = cases.map(({ at = '1h' }) => at).join(', ');
    return [`${cases[0]?.name}, after ${times}`, cases] as const;
  });
  test.for(titled)('%s', async ([, cases], { expect }) => {
    const folder = await mkdtemp(join(tmpdir(), 'alerts-'));
    try {
      const file = join(folder, 'test.yaml');
      const tests = { rule_files: [ALERTS_FILE], evaluation_interval: '30s', tests: [unitTest(cases)] };
      await writeFile(file, stringify(tests));
      const { status, said } = await run('test', 'rules', file);
      expect(status, said).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('each alert fires in one of the cases, and no case names another one', () => {
  const fired = new Set(CASES.flatMap(({ fires }) => Object.keys(fires)));
  expect([...fired].sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

test.each(rules)('$alert has a name, a severity and a runbook link', ({ alert, labels, annotations }) => {
  expect(alert).toMatch(/^DynamicToolset[A-Z][A-Za-z]+$/);
  expect(labels).toEqual({ severity: expect.stringMatching(/^(critical|warning|info)$/) });
  expect(annotations).toEqual({
    summary: expect.stringMatching(/\.$/),
    description: expect.stringMatching(/\.$/),
    runbook: `docs/runbook.md#${alert.toLowerCase()}`,
  });
});
