import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that is measured. */
export interface Measured {
  readonly pid: number;
  /** Waits until it writes a line that contains a text, to either stream. */
  said(text: string, limitMs?: number): Promise<void>;
  /** The fields of a log line that it has written and that contains a text. */
  logged(text: string): Promise<Readonly<Record<string, unknown>>>;
  /** Bytes written to both streams so far. */
  written(): number;
  stop(): Promise<void>;
}

/** Memory and CPU time of a process. */
export interface Usage {
  /** Resident memory in MiB: now, and at its peak. */
  readonly resident: number;
  readonly peak: number;
  /** CPU time used so far, in milliseconds. */
  readonly cpu: number;
}

/** Maximum number of stored lines, and of lines in an error message. */
const KEPT = 10_000;
const TAIL = 20;

/** Starts a Node.js program. Of this process's environment, it gets only `PATH`. */
export function startMeasured(args: readonly string[], env: Readonly<Record<string, string>> = {}): Measured {
  const child = spawn(process.execPath, [...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  let written = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      written += chunk.length;
    });
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line.slice(0, 500));
      if (lines.length > KEPT) lines.shift();
      for (const look of waiting) look(line);
    });
  }
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const kill = (): void => void child.kill('SIGKILL');
  process.on('exit', kill);
  return {
    pid: pidOf(child),
    async said(text, limitMs = 120_000) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const look = (line: string): void => void (line.includes(text) && resolve());
      waiting.add(look);
      const late = setTimeout(
        () => reject(new Error(`it did not write "${text}" within ${limitMs / 1000} s`)),
        limitMs,
      );
      try {
        if (lines.some((line) => line.includes(text))) return;
        await Promise.race([
          promise,
          ended.then(() => Promise.reject(new Error(`it ended before it wrote "${text}"`))),
        ]);
      } catch (cause) {
        throw new Error(`${(cause as Error).message}; its last lines:\n${lines.slice(-TAIL).join('\n')}`, {
          cause,
        });
      } finally {
        clearTimeout(late);
        waiting.delete(look);
      }
    },
    async logged(text) {
      const line = lines.find((each) => each.includes(text));
      if (line === undefined)
        throw new Error(`it did not write "${text}":\n${lines.slice(-TAIL).join('\n')}`);
      return JSON.parse(line);
    },
    written: () => written,
    async stop() {
      process.off('exit', kill);
      child.kill();
      await Promise.race([ended, sleep(5_000)]);
      kill();
    },
  };
}

function pidOf({ pid, spawnfile }: ChildProcess): number {
  if (pid === undefined) throw new Error(`${spawnfile} could not be started`);
  return pid;
}

/** Milliseconds per tick of process times in `/proc`; Linux reports 100 ticks a second on all common platforms. */
const TICK = 10;

/** Reads the usage of a process from `/proc`. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export async function usageOf(pid: number): Promise<Usage> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]).catch((cause: unknown) => {
    throw new Error(`cannot read the usage of process ${pid}: this needs Linux, and a running process`, {
      cause,
    });
  });
  const mebibytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s*(\\d+) kB`).exec(status)?.[1]) / 1024;
  // The second field is the program's name, in parentheses, and may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    resident: mebibytes('VmRSS'),
    peak: mebibytes('VmHWM'),
    cpu: (Number(fields[11]) + Number(fields[12])) * TICK,
  };
}

/** Usage of a process over a period: memory at its end and at its peak, and CPU in percent of one core. */
export interface Used {
  readonly resident: number;
  readonly most: number;
  readonly cpu: number;
}

/** Measures processes for some seconds. Memory is sampled twice a second. */
export async function watchUsage(pids: readonly number[], seconds: number): Promise<Used[]> {
  const begin = await Promise.all(pids.map(usageOf));
  const started = performance.now();
  const most = begin.map(({ resident }) => resident);
  for (;;) {
    await sleep(500);
    const now = await Promise.all(pids.map(usageOf));
    for (const [index, { resident }] of now.entries()) most[index] = Math.max(most[index] ?? 0, resident);
    const passed = performance.now() - started;
    if (passed < seconds * 1000) continue;
    return now.map(({ resident, cpu }, index) => ({
      resident,
      most: most[index] ?? resident,
      cpu: ((cpu - (begin[index]?.cpu ?? 0)) / passed) * 100,
    }));
  }
}
