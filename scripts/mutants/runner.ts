/**
 * Runs the tests of a file once to see which mutants each of them reaches, and once more for each surviving mutant, all in
 * one worker. Modules are reloaded only for mutants of code that runs while they load.
 */
import { appendFileSync, readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers';
import {
  type RunnerTestFile as File,
  type RunnerTestSuite as Suite,
  type RunnerTask as Task,
  type RunnerTestCase as Test,
  TestRunner,
  vi,
} from 'vitest';
import { startTests } from 'vitest/internal/browser';
import { type Job, type Outcome, RUN_FILE } from './job.ts';

type Config = ConstructorParameters<typeof TestRunner>[0];

/** Members of Vitest's runner that its types omit. */
interface Internals {
  readonly moduleRunner: unknown;
  readonly _otel: Parameters<TestRunner['__setTraces']>[0];
  readonly workerState: { readonly evaluatedModules: { getModuleById(id: string): object | undefined } };
}

const now = performance.now.bind(performance);
/** The unchanged program. */
const NO_MUTANT = -1;
/** Visits of mutated places between two checks of the deadline. */
const LOOK_EVERY = 4096;
/** How long a mutant can continue after its deadline, in milliseconds. */
const GRACE = 3_000;

/** The active mutant, its deadline, and the mutants that were reached. */
const state = {
  active: NO_MUTANT,
  visits: 0,
  deadline: Number.POSITIVE_INFINITY,
  reached: new Set<number>(),
};

/**
 * Whether a mutant is active. Throws if a mutant caused an endless loop, and kills this process if the loop catches that
 * and continues.
 */
function isActive(id: number): boolean {
  state.reached.add(id);
  if (++state.visits % LOOK_EVERY === 0 && now() > state.deadline) {
    if (now() > state.deadline + GRACE) process.kill(process.pid, 'SIGKILL');
    throw new Error('the mutant does not end');
  }
  return state.active === id;
}

function* testsOf(suite: Suite): Generator<Test> {
  for (const task of suite.tasks) {
    if (task.type === 'suite') yield* testsOf(task);
    else yield task;
  }
}

/** The test's ID, which is its position in its file, since names need not be unique. */
const placeOf = (task: Task): string => task.id;

/** Runs selected tests of a file, fastest first, and stops at the first failure. Nothing is reported. */
class QuietRunner extends TestRunner {
  failed = false;
  readonly #durations: ReadonlyMap<string, number>;
  readonly #wanted: (test: Test) => boolean;

  constructor(config: Config, durations: ReadonlyMap<string, number>, wanted: (test: Test) => boolean) {
    super(config);
    this.#durations = durations;
    this.#wanted = wanted;
  }

  /** Reloads the tests. Modules that they import are reloaded only if they were reset. */
  override importFile(path: string): unknown {
    const module = (this as unknown as Internals).workerState.evaluatedModules.getModuleById(path);
    if (module !== undefined)
      Object.assign(module, { promise: undefined, exports: undefined, evaluated: false });
    return super.importFile(path, 'collect');
  }

  onBeforeRunFiles(files: File[]): void {
    for (const file of files) {
      for (const test of testsOf(file)) if (!this.#wanted(test)) test.mode = 'skip';
      this.#sort(file);
    }
  }

  #sort(suite: Suite): void {
    const slowness = (task: Task): number =>
      task.type === 'suite'
        ? Math.max(0, ...task.tasks.map(slowness))
        : (this.#durations.get(placeOf(task)) ?? 0);
    suite.tasks.sort((a, b) => slowness(a) - slowness(b));
    for (const task of suite.tasks) if (task.type === 'suite') this.#sort(task);
  }

  override async onBeforeRunTask(test: Task): Promise<void> {
    if (this.failed) test.mode = 'skip';
    await super.onBeforeRunTask(test);
  }

  override onAfterRunTask(test: Task): void {
    super.onAfterRunTask(test);
    if (test.result?.state === 'fail') this.failed = true;
  }

  override async onAfterRunSuite(suite: Suite): Promise<void> {
    if (suite.result?.state === 'fail') this.failed = true;
  }
}

export default class MutantRunner extends TestRunner {
  readonly #job: Job = JSON.parse(readFileSync(String(process.env[RUN_FILE]), 'utf8'));
  readonly #reachedBy = new Map<string, Set<number>>();
  readonly #durations = new Map<string, number>();
  readonly #start = now();
  #atLoad = new Set<number>();
  #usable: ReadonlySet<string> = new Set();
  #isChanged = false;

  constructor(config: Config) {
    super(config);
    Object.assign(globalThis, { __mutants: isActive });
  }

  onBeforeRunFiles(): void {
    this.#atLoad = new Set(state.reached);
  }

  override onBeforeTryTask(test: Task): void {
    super.onBeforeTryTask(test as Test);
    state.reached = new Set();
    this.#reachedBy.set(placeOf(test), state.reached);
  }

  override onAfterRunTask(test: Task): void {
    super.onAfterRunTask(test);
    this.#durations.set(placeOf(test), test.result?.duration ?? 0);
    // Code that runs between tests belongs to all of them.
    state.reached = this.#atLoad;
  }

  override async onAfterRunSuite(suite: Suite): Promise<void> {
    if ('filepath' in suite) await this.#afterFile(suite as File);
    await super.onAfterRunSuite(suite);
  }

  #report(outcome: Outcome): void {
    appendFileSync(this.#job.results, `${JSON.stringify(outcome)}\n`);
  }

  async #afterFile({ filepath: file, ...suite }: File): Promise<void> {
    const took = now() - this.#start;
    const tests = [...testsOf(suite as File)].filter(({ result }) => result?.state === 'pass');
    if (tests.length === 0) {
      this.#report({ file, broken: 'its tests fail without any mutant' });
      return;
    }
    // A test that already fails here, perhaps because switches cost time, would kill all mutants.
    this.#usable = new Set(tests.map(placeOf));
    const reached = new Set([...this.#atLoad, ...[...this.#reachedBy.values()].flatMap((ids) => [...ids])]);
    const ids = this.#job.alive.filter((id) => reached.has(id));
    if (ids.length > 0 && (await this.#runOne(file, NO_MUTANT, took)) !== false) {
      this.#report({ file, broken: 'its tests fail when they run a second time, in another order' });
      return;
    }
    for (const id of ids) {
      this.#report({ file, begun: id });
      const killed = await this.#runOne(file, id, took);
      this.#report({ file, id, killed: killed !== false });
      if (killed === 'hangs') return;
    }
    this.#report({ file, done: true });
  }

  /** The tests that reach a mutant, and are fast enough to run often. */
  #wanted(id: number, test: Test): boolean {
    const place = placeOf(test);
    if (!this.#usable.has(place) || (this.#durations.get(place) ?? 0) > this.#job.slow) return false;
    return id === NO_MUTANT || this.#atLoad.has(id) || this.#reachedBy.get(place)?.has(id) === true;
  }

  async #runOne(path: string, id: number, took: number): Promise<boolean | 'hangs'> {
    const limit = Math.min(20_000, 2_000 + 5 * Math.max(0, ...this.#durations.values()));
    const config = { ...this.config, testTimeout: limit, hookTimeout: limit };
    const runner = new QuietRunner(config, this.#durations, (test) => this.#wanted(id, test));
    const { moduleRunner, _otel } = this as unknown as Internals;
    Object.defineProperty(runner, 'moduleRunner', { value: moduleRunner });
    runner.__setTraces(_otel);
    // A mutant of code that runs at load time needs fresh modules, and so does the next mutant. Mocks that share state with
    // the tests need them each time, because the tests are reloaded.
    const needsLoad = this.#atLoad.has(id);
    if (needsLoad || this.#isChanged || /\bvi\.hoisted\(/.test(readFileSync(path, 'utf8'))) vi.resetModules();
    this.#isChanged = needsLoad;
    Object.assign(state, { active: id, visits: 0, reached: new Set(), deadline: now() + limit });
    try {
      const timer = new Promise<'hangs'>((resolve) => {
        after(() => resolve('hangs'), 5_000 + 3 * took + 2 * limit).unref();
      });
      const files = await Promise.race([
        startTests([{ filepath: path, testLocations: undefined }], runner),
        timer,
      ]);
      if (files === 'hangs') return 'hangs';
      return runner.failed || files.some(({ result }) => result?.state === 'fail');
    } finally {
      Object.assign(state, { active: NO_MUTANT, deadline: Number.POSITIVE_INFINITY });
      vi.useRealTimers();
      vi.restoreAllMocks();
      vi.unstubAllGlobals();
      vi.unstubAllEnvs();
    }
  }
}
