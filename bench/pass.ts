import { listPages } from '../src/kubernetes/list.ts';
import { servicesPath } from '../src/kubernetes/services.ts';
import { openPasses, type Passed } from './engine-passes.ts';
import type { Lab } from './lab.ts';
import type { Row } from './report.ts';
import { newTarget, type Target } from './serve.ts';
import { type BenchService, backendService } from './services.ts';
import { median } from './statistics.ts';

const SIZES = [10, 100, 1_000, 10_000];
const DELAYS = [0, 5, 50, 'never'] as const;
type Delay = (typeof DELAYS)[number];

/** Number of passes and of lists to measure; the median counts. */
const ROUNDS = 3;
const LISTS = 5;

/** With at least this many Services, a pass is also measured with more concurrent probes. */
const MANY = 10_000;
const AT_A_TIME = 128;

/**
 * Goals for 10,000 Services, in milliseconds: the earlier service took 2 to 3 s, 7.7 s and 53 s for its pass on two
 * cores; at 50 ms, the goal is a twentieth of that.
 */
const GOALS: Partial<Record<Delay, number>> = { 0: 2_000, 5: 7_700, 50: 53_000 / 20 };
/** The goal for ten Services that are all backends: a tenth of the 3 s that the earlier service was said to take. */
const TEN = 300;

let maps = 0;

/** Median time to list all Services over the program's own connection and discard them, in milliseconds. */
async function rawList(target: Target, namespace: string): Promise<number> {
  const passes = await openPasses(target, 'unused', namespace);
  const times: number[] = [];
  for (let round = -1; round < LISTS; round++) {
    const started = performance.now();
    for await (const _ of listPages(
      passes.kube,
      { path: servicesPath(namespace) },
      AbortSignal.timeout(60_000),
    ));
    if (round >= 0) times.push(performance.now() - started);
  }
  await passes.close();
  return median(times);
}

interface Measured {
  readonly first: readonly Passed[];
  readonly again: readonly Passed[];
}

/** Measures first passes, and after each of them one more pass without changes. */
async function measure(target: Target, namespace: string, rounds: number): Promise<Measured> {
  const first: Passed[] = [];
  const again: Passed[] = [];
  for (let round = 0; round < rounds; round++) {
    const passes = await openPasses(target, `bench-${++maps}`, namespace);
    first.push(await passes.pass());
    again.push(await passes.pass());
    await passes.close();
  }
  return { first, again };
}

const middle = (passed: readonly Passed[]): Passed => {
  const whole = median(passed.map((each) => each.whole));
  const found = passed.find((each) => each.whole === whole);
  if (found === undefined) throw new Error('no pass was measured');
  return found;
};

const noteOf = ({ listed, looking, whole, healthy }: Passed): string =>
  `list and detection ${listed.toFixed(0)} ms, probes ${looking.toFixed(0)} ms, the rest ${(whole - listed - looking).toFixed(0)} ms; ${healthy} healthy`;

const goalRow = (goal: number | undefined): Pick<Row, 'goal'> =>
  goal === undefined ? {} : { goal: { value: goal } };

/** The requests that probes send in a first pass. */
function requestsRow(what: string, { requests }: Passed): Row {
  const all = requests.reduce((sum, each) => sum + each, 0);
  return {
    what: `${what}, requests per backend`,
    value: all / Math.max(1, requests.length),
    unit: 'requests',
    note: `${requests.length} probes, with at most ${Math.max(0, ...requests)} requests`,
  };
}

/** Measures the same with more concurrent probes than the default. */
async function moreAtATime(target: Target, namespace: string, row: Omit<Row, 'value'>): Promise<Row> {
  const env = { ...target.env, PROBE_CONCURRENCY: String(AT_A_TIME) };
  const { first } = await measure({ ...target, env }, namespace, ROUNDS);
  const pass = middle(first);
  const what = `${row.what}, 50 ms, ${AT_A_TIME} concurrent probes`;
  return { ...row, what, value: pass.whole, note: noteOf(pass) };
}

async function rowsFor(
  lab: Lab,
  what: string,
  services: readonly BenchService[],
  namespace: string,
  goalOf: (delay: Delay) => number | undefined,
): Promise<Row[]> {
  const { connection } = await lab.cluster();
  // Each round has its own ConfigMap, so it needs more permissions than `serve` has.
  const target = { ...(await newTarget(lab, services)), kubeconfig: connection.kubeconfigPath };
  const backends = await lab.backends();
  const floor = { what: 'a raw list', value: await rawList(target, namespace) };
  const rows: Row[] = [];
  const unchanged: Passed[] = [];
  let quick: Passed | undefined;
  for (const delay of DELAYS) {
    lab.say(`${what}, backends at ${delay === 'never' ? 'no answer' : `${delay} ms`}`);
    await backends.answerAfter(delay);
    const { first, again } = await measure(target, namespace, delay === 'never' ? 1 : ROUNDS);
    const pass = middle(first);
    if (delay === 0) quick = pass;
    const goal = goalOf(delay);
    rows.push({
      what: `${what}, ${delay === 'never' ? 'never answering' : `${delay} ms`}`,
      value: pass.whole,
      unit: 'ms',
      floor,
      ...goalRow(goal),
      note: noteOf(pass),
    });
    if (delay !== 'never') unchanged.push(...again);
    if (delay === 50 && services.length >= MANY)
      rows.push(await moreAtATime(target, namespace, { what, unit: 'ms', floor, ...goalRow(goal) }));
  }
  if (quick !== undefined) rows.push(requestsRow(what, quick));
  await backends.answerAfter(0);
  const pass = middle(unchanged);
  rows.push({
    what: `${what}, nothing changed`,
    value: pass.whole,
    unit: 'ms',
    floor,
    ...(services.length === 10_000 ? { goal: { ratio: 2 } } : {}),
    note: noteOf(pass),
  });
  return rows;
}

/**
 * Measures full passes in this process: the stages of `serve`, without the start of a process. The backends run in their
 * own process on this machine, and the API server is a real one.
 */
export async function pass(lab: Lab): Promise<Row[]> {
  const cluster = await lab.cluster();
  const rows: Row[] = [];
  const ten = Array.from({ length: 10 }, (_, number) => backendService('ten', number));
  await cluster.create(ten);
  rows.push(...(await rowsFor(lab, '10 Services, 10 backends', ten, 'ten', () => TEN)).slice(0, 1));
  for (const { spec } of ten) await cluster.admin.delete(`/api/v1/namespaces/ten/services/${spec.name}`);
  for (const size of SIZES.filter((each) => each <= lab.options.services)) {
    const services = await cluster.grow(size);
    const what = `${services.length} Services`;
    rows.push(
      ...(await rowsFor(lab, what, services, '*', (delay) => (size === 10_000 ? GOALS[delay] : undefined))),
    );
  }
  return rows;
}
