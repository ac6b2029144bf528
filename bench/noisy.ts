import { churn } from './churn.ts';
import type { Lab } from './lab.ts';
import { openEyes, rowsOf, samples } from './latency.ts';
import type { Row } from './report.ts';
import { newTarget, startServe } from './serve.ts';
import { backendService } from './services.ts';

/** Services of other tenants. */
const FRIENDLY = 200;
/** Backends of the noisy tenant, all in one namespace, and how many of them change per second. */
const NOISY = 500;
const RATE = 100;
/** Namespaces that the timed changes take turns in. */
const QUIET = 10;
/** Pause between two timed changes of another tenant, in milliseconds. */
const PAUSE = 1_200;

/**
 * Measures the time from one tenant's change to the update of the ConfigMap, while another tenant keeps changing its
 * backends.
 */
export async function noisy(lab: Lab): Promise<Row[]> {
  const cluster = await lab.cluster();
  const services = await cluster.grow(FRIENDLY);
  await (await lab.backends()).answerAfter(0);
  const moving = Array.from({ length: Math.ceil(lab.options.samples / 2) }, (_, number) =>
    backendService(`quiet-${number % QUIET}`, number, 'm'),
  );
  for (let number = 0; number < QUIET; number++) await cluster.namespace(`quiet-${number}`);
  const loud = Array.from({ length: NOISY }, (_, number) => backendService('noisy', number, 'n'));
  await cluster.create(loud);
  const target = await newTarget(lab, [...services, ...moving, ...loud]);
  const stop = new AbortController();
  const serve = await startServe(lab, target);
  try {
    const eyes = await openEyes(cluster, target.namespace, stop.signal);
    lab.say(`${moving.length * 2} changes beside ${NOISY} backends of one tenant at rest`);
    const before = await samples(cluster, eyes, moving, PAUSE);
    lab.say(`${moving.length * 2} changes while these change, ${RATE} a second`);
    const calm = new AbortController();
    const changing = churn(cluster, loud, AbortSignal.any([calm.signal, stop.signal]), {
      rate: RATE,
      annotations: (value) => ({
        'kubernaut.io/toolset': 'true',
        'kubernaut.io/toolset-description': `change ${value}`,
        'kubernaut.io/toolset-health-path': `/-/healthy?${value}`,
      }),
    });
    const during = await samples(cluster, eyes, moving, PAUSE);
    calm.abort();
    const rate = (await changing).toFixed(1);
    return [
      ...rowsOf('noisy tenant at rest', before, 500, `${NOISY} backends in its namespace`),
      ...rowsOf('noisy tenant', during, 1_000, `${rate} changes a second in its namespace`),
    ];
  } finally {
    stop.abort();
    await serve.stop();
  }
}
