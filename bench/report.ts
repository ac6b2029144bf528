import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** One figure that was measured, beside what it can be compared with in the same run. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The least that this could take here: what of it is not ours. */
  readonly floor?: { readonly what: string; readonly value: number };
  /** What shall be reached: at most so many of the unit, or at most so many times the floor. */
  readonly goal?: { readonly value: number } | { readonly ratio: number };
  /** How the figure came to be, where that is worth a line. */
  readonly note?: string;
}

/** What one benchmark measured. */
export interface Result {
  readonly name: string;
  readonly rows: readonly Row[];
}

/** The machine that it ran on. Load is the average of a minute, in processes. */
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

/** How many times the floor a figure is; nothing where there is no floor. */
export function ratioOf({ value, floor }: Row): number | undefined {
  return floor === undefined || floor.value === 0 ? undefined : value / floor.value;
}

/** Whether a figure reaches its goal; nothing where it has none, or none that can be told. */
export function reached(row: Row): boolean | undefined {
  if (row.goal === undefined) return undefined;
  if ('value' in row.goal) return row.value <= row.goal.value;
  const ratio = ratioOf(row);
  return ratio === undefined ? undefined : ratio <= row.goal.ratio;
}

/** Three digits that count, and no more decimals than that needs. */
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

/** A benchmark's figures as a table for people, in Markdown. */
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

/** The line that says where the figures come from. */
export function machineLine({ cpu, cores, memoryMiB, node, load }: Machine): string {
  return `${cpu}, ${cores} cores, ${memoryMiB} MiB, Node.js ${node}, load ${load.toFixed(2)}`;
}

/** All of it for programs. */
export function json(before: Machine, results: readonly Result[]): string {
  const full = results.map(({ name, rows }) => ({
    name,
    rows: rows.map((row) => ({ ...row, ratio: ratioOf(row), met: reached(row) })),
  }));
  return JSON.stringify({ machine: before, loadAfter: machine().load, results: full }, undefined, 2);
}
