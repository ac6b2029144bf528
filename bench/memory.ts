import { setTimeout as sleep } from 'node:timers/promises';
import { CHANGES_A_SECOND, churn } from './churn.ts';
import type { Lab } from './lab.ts';
import { type Measured, startMeasured, usageOf, watchUsage } from './process.ts';
import type { Row } from './report.ts';
import { newTarget, startServe } from './serve.ts';

/**
 * How long a process can end the work of its start before it counts as at rest, in milliseconds: probes that are repeated,
 * the last publications, and garbage.
 */
const SETTLE = 30_000;

const FLOOR = 'a raw watch that stores nothing';

/** Measures memory and CPU of the built `serve`, at rest and under churn, compared with a process that only watches. */
export async function memory(lab: Lab): Promise<Row[]> {
  const { seconds } = lab.options;
  const cluster = await lab.cluster();
  const services = await cluster.grow(lab.options.services, lab.options.backends);
  await (await lab.backends()).answerAfter(0);
  const target = await newTarget(lab, services);
  const raw = startMeasured([await lab.rawFollow(), target.kubeconfig]);
  const stop = new AbortController();
  let serve: Measured | undefined;
  try {
    // As in a Pod, where both servers run.
    const env = { API_ADDRESS: '127.0.0.1:0', METRICS_ADDRESS: '127.0.0.1:0' };
    const started = performance.now();
    serve = await startServe(lab, { ...target, env: { ...target.env, ...env } });
    const published = (performance.now() - started) / 1_000;
    await raw.said('following');
    lab.say(`at rest for ${seconds} s`);
    await sleep(SETTLE);
    const { peak } = await usageOf(serve.pid);
    const pids = [serve.pid, raw.pid];
    const [rest, restFloor] = await watchUsage(pids, seconds);
    lab.say(`${CHANGES_A_SECOND} changes a second for ${seconds} s`);
    const changing = churn(cluster, services, stop.signal);
    const [busy, busyFloor] = await watchUsage(pids, seconds);
    stop.abort();
    const rate = await changing;
    if (!rest || !restFloor || !busy || !busyFloor) throw new Error('a process was not measured');
    const backends = services.filter(({ backend }) => backend !== undefined).length;
    const note = `${services.length} Services, ${backends} of them backends`;
    const churned = `${rate.toFixed(1)} changes a second`;
    const row = (what: string, unit: string, value: number, floor: number, rest: Partial<Row> = {}): Row => ({
      what,
      unit,
      value,
      floor: { what: FLOOR, value: floor },
      ...rest,
    });
    return [
      { what: 'start until the first publication', unit: 's', value: published, goal: { value: 30 } },
      row('resident memory at rest', 'MiB', rest.resident, restFloor.resident, {
        goal: { value: 128 },
        note,
      }),
      row('peak resident memory under churn', 'MiB', busy.most, busyFloor.most, {
        goal: { value: 128 },
        note: churned,
      }),
      { what: 'peak resident memory until the first publication', unit: 'MiB', value: peak },
      row('CPU at rest', '% of a core', rest.cpu, restFloor.cpu, { goal: { value: 1 } }),
      row('CPU under churn', '% of a core', busy.cpu, busyFloor.cpu, { note: churned }),
    ];
  } finally {
    stop.abort();
    await Promise.all([serve?.stop(), raw.stop()]);
  }
}
