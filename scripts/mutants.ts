/**
 * Mutation testing: changes the program in one place at a time, and lists the changes that no unit test detects:
 * `npm run mutants -- src/planning src/kubernetes/leadership.ts`.
 * Equivalent mutants, which change nothing observable, are listed in `mutants/equivalent.yaml`, each with the reason.
 */
import { globSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { createVitest, type Vitest } from 'vitest/node';
import { parse } from 'yaml';
import { type Job, type Outcome, RUN_FILE } from './mutants/job.ts';
import { findMutations, withSwitches } from './mutants/mutations.ts';
import { relatedTests } from './mutants/related.ts';

interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly code: string;
  /** The change, such as `< → <=`. */
  readonly change: string;
}

interface Equivalent extends Omit<Mutant, 'line'> {
  readonly why: string;
}

const root = resolve(import.meta.dirname, '..');
const short = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 60);

function filesOf(names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    const files = globSync(name, { cwd: root });
    return files.flatMap((path) =>
      statSync(join(root, path)).isDirectory() ? globSync(`${path}/**/*.ts`, { cwd: root }) : path,
    );
  });
  return [...new Set(found)].filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts')).sort();
}

function mutantsOf(file: string): Mutant[] {
  const source = readFileSync(join(root, file), 'utf8');
  const lines = source.split('\n');
  return findMutations(source).map(({ start, end, replacement }) => {
    const line = source.slice(0, start).split('\n').length;
    const before = short(source.slice(start, end));
    const change = replacement === '' ? `${before} → nothing` : `${before} → ${short(replacement)}`;
    return { file, line, code: (lines[line - 1] ?? '').trim(), change };
  });
}

/** Starts Vitest with sources that have a switch at each place that can be mutated. */
async function openVitest(first: ReadonlyMap<string, number>): Promise<Vitest> {
  return createVitest(
    'test',
    {
      root,
      config: false,
      watch: false,
      include: ['src/**/*.test.ts'],
      runner: join(import.meta.dirname, 'mutants/runner.ts'),
      reporters: [{}],
      pool: 'forks',
      maxWorkers: 1,
      testTimeout: 60_000,
      silent: true,
      dangerouslyIgnoreUnhandledErrors: true,
    },
    {
      plugins: [
        {
          name: 'mutants',
          enforce: 'pre',
          transform(source, id) {
            const from = first.get(relative(root, id));
            return from === undefined ? undefined : { code: withSwitches(source, from), map: null };
          },
        },
      ],
    },
  );
}

/** Why a test file could not be loaded. */
const errorsOf = (vitest: Vitest): string =>
  vitest.state
    .getTestModules()
    .flatMap((module) => module.errors().map(({ message }) => message))
    .join('\n') || 'its worker wrote nothing';

const failureOf = (vitest: Vitest): string =>
  vitest.state
    .getUnhandledErrors()
    .map((error) => (error as Error).stack ?? String(error))
    .join('\n') || errorsOf(vitest);

const outcomes = (path: string): Outcome[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Outcome);

/** Runs one test file against the surviving mutants. Restarts the worker if a mutant crashed it. */
async function runFile(vitest: Vitest, test: string, alive: Set<number>, folder: string): Promise<Outcome[]> {
  const results = join(folder, 'results');
  const told: Outcome[] = [];
  const survived = new Set<number>();
  for (let isDone = false; !isDone; ) {
    writeFileSync(results, '');
    const job: Job = {
      alive: [...alive].filter((id) => !survived.has(id)),
      slow: Number(values.slow),
      results,
    };
    writeFileSync(join(folder, 'job'), JSON.stringify(job));
    await vitest.runTestSpecifications([vitest.getRootProject().createSpecification(join(root, test))]);
    const lines = outcomes(results);
    const ended = new Set(lines.map(({ id }) => id));
    for (const { id, killed } of lines) if (id !== undefined) killed ? alive.delete(id) : survived.add(id);
    for (const { begun } of lines) if (begun !== undefined && !ended.has(begun)) alive.delete(begun);
    told.push(...lines);
    isDone = lines.length === 0 || lines.some(({ done, broken }) => done === true || broken !== undefined);
    if (lines.length === 0) told.push({ file: test, broken: failureOf(vitest) });
  }
  return told;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tests: { type: 'string', multiple: true },
    timings: { type: 'boolean', default: false },
    slow: { type: 'string', default: '500' },
  },
});
const files = filesOf(positionals);
if (files.length === 0) {
  console.error('error: name the files to mutate: npm run mutants -- src/planning/plan.ts');
  process.exit(2);
}
const first = new Map<string, number>();
const mutants: Mutant[] = [];
for (const file of files) {
  first.set(file, mutants.length);
  mutants.push(...mutantsOf(file));
}
const equivalents = (parse(readFileSync(join(import.meta.dirname, 'mutants/equivalent.yaml'), 'utf8')) ??
  []) as Equivalent[];
const isThat = (mutant: Mutant) => (one: Equivalent) =>
  one.file === mutant.file && one.code === mutant.code && one.change === mutant.change;
const counted = [...mutants.keys()].filter((id) => !equivalents.some(isThat(mutants[id] as Mutant)));
const unknown = equivalents.filter(
  (one) => files.includes(one.file) && !mutants.some((each) => isThat(each)(one)),
);
const alive = new Set(counted);

const folder = mkdtempSync(join(tmpdir(), 'mutants-'));
process.env[RUN_FILE] = join(folder, 'job');
const vitest = await openVitest(first);
await vitest.standalone();
const tests = relatedTests(root, files).filter(
  (test) => values.tests?.some((part) => test.includes(part)) ?? true,
);
for (const test of tests) {
  if (alive.size === 0) break;
  const before = alive.size;
  const start = performance.now();
  const told = await runFile(vitest, test, alive, folder);
  for (const { broken } of told) if (broken !== undefined) console.error(`${test}: not used: ${broken}`);
  const runs = told.filter(({ id }) => id !== undefined).length;
  const took = ((performance.now() - start) / 1000).toFixed(1);
  if (values.timings || process.stderr.isTTY)
    console.error(`${test}: ${runs} runs in ${took} s, ${before - alive.size} killed, ${alive.size} left`);
}
await vitest.close();
rmSync(folder, { recursive: true });

for (const id of [...alive].sort((a, b) => a - b)) {
  const { file, line, change, code } = mutants[id] as Mutant;
  console.log(`${file}:${line}  ${change}\n    ${code}`);
}
for (const { file, code } of unknown)
  console.log(`mutants/equivalent.yaml: no such mutant: ${file}: ${code}`);
console.log('');
for (const file of files) {
  const all = counted.filter((id) => mutants[id]?.file === file);
  const killed = all.filter((id) => !alive.has(id)).length;
  const share = all.length === 0 ? 100 : Math.floor((100 * killed) / all.length);
  console.log(
    `${String(share).padStart(3)} %  ${String(killed).padStart(4)} of ${String(all.length).padStart(4)}  ${file}`,
  );
}
const killed = counted.length - alive.size;
console.log(
  `${Math.floor((1000 * killed) / counted.length) / 10} % of ${counted.length} mutants killed, ${alive.size} survived`,
);
process.exit(0);
