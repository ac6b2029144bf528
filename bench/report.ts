import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** One measured figure, and what to compare it with. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The minimum on this machine in the same run: the share that is not the program's own. */
  readonly floor?: { readonly what: string; readonly value: number };
  /** The maximum to reach, in the unit of the value or as a multiple of the floor. */
  readonly goal?: { readonly value: number } | { readonly ratio: number };
  /** How the figure was measured, if that needs an explanation. */
  readonly note?: string;
}

/** The results of one benchmark. */
export interface Result {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** The machine of a run. Load is the one-minute average. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly node: string;
  readonly load: number;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    node: process.version,
    load: loadavg()[0] ?? 0,
  };
}

/** The value as a multiple of its floor; `undefined` without a floor. */
export function ratioOf({ value, floor }: Row): number | undefined {
  return floor === undefined || floor.value === 0 ? undefined : value / floor.value;
}

/** Whether a value reaches its goal; `undefined` without a goal, or if the goal is a ratio and there is none. */
export function reached(row: Row): boolean | undefined {
  if (row.goal === undefined) return undefined;
  if ('value' in row.goal) return row.value <= row.goal.value;
  const ratio = ratioOf(row);
  return ratio === undefined ? undefined : ratio <= row.goal.ratio;
}

/** Formats a value with three significant digits and at most three decimals. */
function figure(value: number): string {
  if (value === 0) return '0';
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(decimals, 3));
}

function goalText({ goal, unit }: Row): string {
  if (goal === undefined) return '';
  return 'value' in goal ? `≤ ${figure(goal.value)} ${unit}` : `≤ ${goal.ratio} × floor`;
}

const HEAD = ['what', 'ours', 'floor', 'ratio', 'goal', 'met'];

function cells(row: Row): string[] {
  const ratio = ratioOf(row);
  const met = reached(row);
  return [
    row.what,
    `${figure(row.value)} ${row.unit}`,
    row.floor === undefined ? '' : `${figure(row.floor.value)} ${row.unit} (${row.floor.what})`,
    ratio === undefined ? '' : `${figure(ratio)} ×`,
    goalText(row),
    met === undefined ? '' : met ? 'yes' : 'NO',
  ];
}

/** The figures of a benchmark as a Markdown table. */
export function table({ name, rows }: Result): string {
  const lines = [HEAD, ...rows.map(cells)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const joined = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = '', ...body] = lines.map(joined);
  const notes = rows.flatMap(({ what, note }) => (note === undefined ? [] : `- ${what}: ${note}`));
  const rule = joined(widths.map((width) => '-'.repeat(width)));
  return [`## ${name}`, '', head, rule, ...body, ...(notes.length === 0 ? [] : ['', ...notes]), ''].join(
    '\n',
  );
}

/** Describes the machine in one line. */
export function machineLine({ cpu, cores, memoryMiB, node, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryMiB} MiB, Node.js ${node}, load ${load.toFixed(2)}`;
}

/** All results as JSON. */
export function json(before: Machine, results: readonly Result[]): string {
  const full = results.map(({ name, rows }) => ({
    name,
    rows: rows.map((row) => ({ ...row, ratio: ratioOf(row), met: reached(row) })),
  }));
  return JSON.stringify({ machine: before, loadAfter: machine().load, results: full }, undefined, 2);
}
