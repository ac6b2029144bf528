import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from './lab.ts';
import { openEyes, rowsOf, samples } from './latency.ts';
import type { Row } from './report.ts';
import { newTarget, startServe } from './serve.ts';
import { backendService } from './services.ts';

/** Other Services, and how many backends never answer. */
const SERVICES = 1_000;
const DEAD = 50;
/** Pause between two timed changes, in milliseconds. */
const PAUSE = 1_200;
/** Time for the dead backends to be probed, in milliseconds: they fill the slots of probes from now on. */
const SETTLE = 5_000;

/** Measures the time from a change to the update of the ConfigMap, before and while there are dead backends. */
export async function dead(lab: Lab): Promise<Row[]> {
  const cluster = await lab.cluster();
  const services = await cluster.grow(SERVICES);
  await (await lab.backends()).answerAfter(0);
  const moving = Array.from({ length: Math.ceil(lab.options.samples / 2) }, (_, number) =>
    backendService('team-000', number, 'm'),
  );
  const silent = Array.from({ length: DEAD }, (_, number) => backendService('silent', number, 's'));
  const target = await newTarget(lab, [...services, ...moving], { dead: silent });
  const stop = new AbortController();
  const serve = await startServe(lab, target);
  try {
    const eyes = await openEyes(cluster, target.namespace, stop.signal);
    lab.say(`${moving.length * 2} changes, and no dead backend`);
    const before = await samples(cluster, eyes, moving, PAUSE);
    await cluster.create(silent);
    await sleep(SETTLE);
    lab.say(`${moving.length * 2} changes beside ${DEAD} dead backends`);
    const beside = await samples(cluster, eyes, moving, PAUSE);
    return [
      ...rowsOf('no dead backend', before, 150, `${SERVICES} Services`),
      ...rowsOf(`${DEAD} dead backends`, beside, 150, 'they accept connections and never answer'),
    ];
  } finally {
    stop.abort();
    await serve.stop();
  }
}
