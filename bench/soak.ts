import { beginAndEnd, COLLECTING, type Holding, soak as soakServe } from '../test/integration/soak.ts';
import type { Lab } from './lab.ts';
import type { Measured } from './process.ts';
import type { Row } from './report.ts';
import { newTarget, startServe } from './serve.ts';

const FLOOR = 'in the second fifth of the time';

/**
 * Measures memory, sockets and timers of the built `serve` while everything that it watches changes, at the end
 * compared with the beginning.
 */
export async function soak(lab: Lab): Promise<Row[]> {
  const { seconds } = lab.options;
  const cluster = await lab.cluster();
  const services = await cluster.grow(lab.options.services);
  await (await lab.backends()).answerAfter(0);
  const target = await newTarget(lab, services);
  const watched = 'soak';
  await cluster.namespace(watched);
  let serve: Measured | undefined;
  try {
    const env = {
      ...target.env,
      METRICS_ADDRESS: '127.0.0.1:0',
      METRICS_AUTH_ENABLED: 'false',
      NODE_OPTIONS: COLLECTING,
    };
    serve = await startServe(lab, { ...target, env });
    const { port } = await serve.logged('metrics are served');
    lab.say(`changes of all kinds for ${seconds} s`);
    const held = await soakServe(
      {
        admin: cluster.admin,
        services: services.map(({ namespace, spec }) => ({ namespace, name: spec.name })),
        watched,
        target: target.namespace,
        pid: serve.pid,
        metricsPort: Number(port),
      },
      seconds,
    );
    const { begin, end } = beginAndEnd(held);
    const row = (what: string, unit: string, name: keyof Holding, rest: Partial<Row> = {}): Row => ({
      what,
      unit,
      value: end[name],
      floor: { what: FLOOR, value: begin[name] },
      ...rest,
    });
    return [
      row('heap in use, without garbage', 'MiB', 'heap', {
        goal: { ratio: 1.1 },
        note: `${services.length} Services; 50 changes a second for ${seconds} s, including one per second each of a backend, the published ConfigMap, its overrides and the settings`,
      }),
      row('resident memory', 'MiB', 'resident'),
      row('sockets', '', 'sockets'),
      row('timers', '', 'timers'),
    ];
  } finally {
    await serve?.stop();
  }
}
