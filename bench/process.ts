import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that is measured. */
export interface Measured {
  readonly pid: number;
  /** Waits until it writes a line with a text, whichever stream it writes it to. */
  said(text: string, limitMs?: number): Promise<void>;
  /** What a line of its log holds that it wrote already, by a text in it. */
  logged(text: string): Promise<Readonly<Record<string, unknown>>>;
  /** Bytes that it wrote so far to both streams together. */
  written(): number;
  stop(): Promise<void>;
}

/** What a process uses of the machine. */
export interface Usage {
  /** Memory that is resident, in MiB: now, and the most it ever was. */
  readonly resident: number;
  readonly peak: number;
  /** Processor time that it used so far, in milliseconds. */
  readonly cpu: number;
}

/** Lines that are kept, and of these the ones for an error message. */
const KEPT = 10_000;
const TAIL = 20;

/** Starts a program of Node.js with nothing of this process' environment but what is given. */
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
        () => reject(new Error(`it did not say "${text}" within ${limitMs / 1000} s`)),
        limitMs,
      );
      try {
        if (lines.some((line) => line.includes(text))) return;
        await Promise.race([
          promise,
          ended.then(() => Promise.reject(new Error(`it ended before it said "${text}"`))),
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
      if (line === undefined) throw new Error(`it did not say "${text}":\n${lines.slice(-TAIL).join('\n')}`);
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

/** Milliseconds in one tick of the kernel's clock for processes; 100 ticks a second wherever Linux is built as usual. */
const TICK = 10;

/** What a process uses, as Linux tells it. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export async function usageOf(pid: number): Promise<Usage> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ]).catch((cause: unknown) => {
    throw new Error(`what process ${pid} uses is not to be seen: this needs Linux, and a process that runs`, {
      cause,
    });
  });
  const mebibytes = (name: string): number =>
    Number(new RegExp(`${name}:\\s*(\\d+) kB`).exec(status)?.[1]) / 1024;
  // The second field is the program's name, in parentheses, and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    resident: mebibytes('VmRSS'),
    peak: mebibytes('VmHWM'),
    cpu: (Number(fields[11]) + Number(fields[12])) * TICK,
  };
}

/** What a process used over a time: memory at its end and at most, and its share of one core in percent. */
export interface Used {
  readonly resident: number;
  readonly most: number;
  readonly cpu: number;
}

/** Watches processes for a time, in seconds. Memory is looked at twice a second. */
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
