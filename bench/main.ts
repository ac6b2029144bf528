/** `npm run -s bench -- NAME…`: measures the program on this machine, compared with a floor from the same run. */
import { parseArgs } from 'node:util';
import { api } from './api.ts';
import { dead } from './dead.ts';
import { detect } from './detect.ts';
import { hostile } from './hostile.ts';
import { idle } from './idle.ts';
import { type BenchOptions, type Lab, openLab } from './lab.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { noisy } from './noisy.ts';
import { pass } from './pass.ts';
import { json, machine, machineLine, type Result, type Row, table } from './report.ts';
import { soak } from './soak.ts';
import { start } from './start.ts';

interface Benchmark {
  readonly about: string;
  readonly run: (lab: Lab) => Promise<Row[]>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  detect: { about: 'detection alone, per Service', run: detect },
  start: { about: 'cold start of discover -f on 100 Services', run: start },
  pass: {
    about: 'full passes at 10 to 10,000 Services, with backends that answer after 0, 5 and 50 ms, or never',
    run: pass,
  },
  latency: { about: 'time from a change of a Service to the ConfigMap, quiet and under churn', run: latency },
  noisy: { about: 'the same for one tenant, while another keeps changing 500 backends', run: noisy },
  dead: { about: 'the same beside 50 backends that never answer', run: dead },
  memory: { about: 'resident memory and CPU, at rest and under churn', run: memory },
  api: { about: 'GET /api/v1/toolsets with tokens, alone and during a full pass', run: api },
  soak: { about: 'memory, sockets and timers after changes of all kinds; use --seconds 600', run: soak },
  hostile: {
    about: 'attacks from outside, and their effect on health, memory, log and a well-behaved client',
    run: hostile,
  },
  idle: { about: 'requests to the API server at rest', run: idle },
};

const USAGE = `Usage: npm run -s bench -- NAME… [options]

Benchmarks, or "all":
${Object.entries(BENCHMARKS)
  .map(([name, { about }]) => `  ${name.padEnd(9)}${about}`)
  .join('\n')}

Options:
  --services N  number of Services in the cluster (10000); fewer are faster
  --backends N  at most so many of them are backends (one in ten)
  --samples N   number of timed changes, and of program starts (100)
  --seconds N   duration of each measurement at rest, and under churn (60)
  --json        print JSON instead of tables`;

class UsageError extends Error {}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`--${name} ${text}: must be a whole number of at least 1`);
  return value;
}

function read(args: readonly string[]): { names: string[]; options: BenchOptions; asJson: boolean } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      services: { type: 'string', default: '10000' },
      backends: { type: 'string' },
      samples: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
    },
  });
  const names = positionals.includes('all') ? Object.keys(BENCHMARKS) : positionals;
  const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));
  if (unknown.length > 0)
    throw new UsageError(`unknown benchmark ${unknown.join(', ')}; run without a name to list them`);
  return {
    names,
    asJson: values.json,
    options: {
      services: count('services', values.services),
      ...(values.backends === undefined ? {} : { backends: count('backends', values.backends) }),
      samples: count('samples', values.samples),
      seconds: count('seconds', values.seconds),
    },
  };
}

/** Runs benchmarks in one lab. Progress goes to standard error, so that standard output has only the results. */
async function run(names: readonly string[], options: BenchOptions, asJson: boolean): Promise<void> {
  const say = (text: string): void => console.error(`… ${text}`);
  const before = machine();
  const lab = await openLab(options, say);
  const results: Result[] = [];
  try {
    for (const name of names) {
      say(name);
      const rows = (await BENCHMARKS[name]?.run(lab)) ?? [];
      results.push({ name, rows });
      if (!asJson) console.log(table({ name, rows }));
    }
  } finally {
    await lab.close();
  }
  if (asJson) console.log(json(before, results));
  else console.log(`${machineLine(before)} before, ${machine().load.toFixed(2)} after`);
}

try {
  const { names, options, asJson } = read(process.argv.slice(2));
  if (names.length === 0) console.log(USAGE);
  else await run(names, options, asJson);
} catch (error) {
  const isUsage = error instanceof UsageError || (error instanceof TypeError && 'code' in error);
  console.error(isUsage ? `error: ${error.message}` : error);
  process.exitCode = isUsage ? 2 : 1;
}
// A failed benchmark may leave connections open, which would keep the process running.
process.exit();
