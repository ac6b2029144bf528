import { setTimeout as sleep } from 'node:timers/promises';
import { countingApi } from './counting-api.ts';
import type { Lab } from './lab.ts';
import type { Measured } from './process.ts';
import type { Row } from './report.ts';
import { newTarget, startServe } from './serve.ts';

/** Time after the start until the program is idle, in milliseconds. */
const SETTLE = 10_000;

/** Counts the requests of the built `serve` to the API server while nothing happens. */
export async function idle(lab: Lab): Promise<Row[]> {
  const { seconds } = lab.options;
  const cluster = await lab.cluster();
  const services = await cluster.grow(lab.options.services);
  await (await lab.backends()).answerAfter(0);
  const api = await countingApi(cluster.connection);
  let serve: Measured | undefined;
  try {
    serve = await startServe(lab, await newTarget(lab, services, { server: api.server }));
    await sleep(SETTLE);
    const atStart = api.taken();
    lab.say(`at rest for ${seconds} s`);
    await sleep(seconds * 1000);
    const asked = [...api.taken()];
    const perMinute = (wanted: (name: string) => boolean): number =>
      (asked.filter(([name]) => wanted(name)).reduce((sum, [, count]) => sum + count, 0) * 60) / seconds;
    const isWatch = (name: string): boolean => /^watch |leases$/.test(name);
    const listed = (counts: Iterable<readonly [string, number]>): string =>
      [...counts].map(([name, count]) => `${count} × ${name}`).join(', ') || 'nothing';
    return [
      {
        what: 'requests at rest, without watches and leases',
        value: perMinute((name) => !isWatch(name)),
        unit: '/ min',
        goal: { value: 0 },
        note: `in ${seconds} s: ${listed(asked)}; everything is listed again every discovery interval, 5 min`,
      },
      { what: 'watches started and leases renewed at rest', value: perMinute(isWatch), unit: '/ min' },
      {
        what: 'requests at startup',
        value: [...atStart.values()].reduce((sum, count) => sum + count, 0),
        unit: '',
        note: listed(atStart),
      },
    ];
  } finally {
    await serve?.stop();
    api.stop();
  }
}
