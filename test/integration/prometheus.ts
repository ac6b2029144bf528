import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { installed, startReal } from '../detectors/real-process.ts';

/** What Prometheus answers to an expression: one series each. */
export interface Result {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

export interface Rule {
  readonly name: string;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly health: string;
  readonly lastError?: string;
}

/** A real Prometheus that scrapes each second. */
export interface Prometheus {
  query(expr: string): Promise<readonly Result[]>;
  /** All alert rules, as they were evaluated last. */
  rules(): Promise<readonly Rule[]>;
}

/** One target, and the labels that Kubernetes would give it. */
interface Target {
  readonly port: number;
  readonly labels: Readonly<Record<string, string>>;
}

export const program = installed('prometheus');

/** Starts a Prometheus with a file of rules; it ends with the test. */
export async function startPrometheus(rulesFile: string, targets: readonly Target[]): Promise<Prometheus> {
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [rulesFile],
    scrape_configs: [
      {
        job_name: 'dynamic-toolset',
        static_configs: targets.map(({ port, labels }) => ({ targets: [`127.0.0.1:${port}`], labels })),
      },
    ],
  };
  const { port, stop } = await startReal({
    program: program ?? 'prometheus',
    args: (at, folder) => [
      '--config.file=prometheus.yml',
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${at}`,
    ],
    files: { 'prometheus.yml': stringify(config) },
  });
  onTestFinished(stop);
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, error, data } = (await response.json()) as { status: string; error?: string; data: T };
    if (status !== 'success') throw new Error(`${decodeURIComponent(path)}: ${error}`);
    return data;
  };
  return {
    query: async (expr) =>
      (await ask<{ result: readonly Result[] }>(`query?query=${encodeURIComponent(expr)}`)).result,
    rules: async () =>
      (await ask<{ groups: readonly { rules: readonly Rule[] }[] }>('rules')).groups.flatMap(
        ({ rules }) => rules,
      ),
  };
}
