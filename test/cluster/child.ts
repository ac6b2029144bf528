import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const STOP_LIMIT_MS = 5_000;
/** How many of its last lines are kept for an error message. */
const TAIL_LINES = 20;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A signal stopped us (Ctrl-C, `kill`) while a child ran. The child and its own children are gone. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: NodeJS.Signals;

  constructor(what: string, signal: NodeJS.Signals) {
    super(`${what} was interrupted by ${signal}`);
    this.signal = signal;
  }
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each line the child writes, whichever stream it writes it to. */
  readonly onLine?: (line: string) => void;
  /** Stops the child when aborted; `runChild` then rejects with the abort's reason. */
  readonly abort?: AbortSignal;
  /** How long it may take to stop before it is killed, in milliseconds; 5 s unless given. */
  readonly stopLimitMs?: number;
}

export interface ChildResult {
  /** Exit code, or 128 where a signal ended it. */
  readonly code: number;
  /** The last lines of what it wrote, at most 20. */
  readonly tail: readonly string[];
}

/**
 * Runs a program to its end in a process group of its own, so that nothing it starts can outlive it: SIGINT,
 * SIGTERM and SIGHUP which reach us stop the whole group, and so does our own exit.
 *
 * Resolves with the exit code whatever it is. Rejects with `Interrupted` where a signal stopped it, with
 * the abort's reason where `abort` did, and with the system's error (`ENOENT`) where it cannot be started.
 */
export async function runChild(
  command: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<ChildResult> {
  options.abort?.throwIfAborted();
  const child = spawn(command, [...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
  });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      tail.push(line);
      if (tail.length > TAIL_LINES) tail.shift();
      options.onLine?.(line);
    });
  }

  let stoppedBy: Error | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (reason: Error, signal: NodeJS.Signals): void => {
    if (stoppedBy !== undefined) {
      killGroup(child, 'SIGKILL');
      return;
    }
    stoppedBy = reason;
    killGroup(child, signal);
    killTimer = setTimeout(() => killGroup(child, 'SIGKILL'), options.stopLimitMs ?? STOP_LIMIT_MS);
  };
  const onSignal = (signal: NodeJS.Signals): void => stop(new Interrupted(command, signal), signal);
  const onAbort = (): void => stop(toError(options.abort?.reason), 'SIGTERM');
  const onExit = (): void => killGroup(child, 'SIGKILL');

  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  process.on('exit', onExit);
  options.abort?.addEventListener('abort', onAbort);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => resolve(exitCode ?? 128));
    });
    if (stoppedBy !== undefined) throw stoppedBy;
    return { code, tail };
  } finally {
    clearTimeout(killTimer);
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
    process.off('exit', onExit);
    options.abort?.removeEventListener('abort', onAbort);
    // Grandchildren that closed their streams and ignored the signal.
    if (stoppedBy !== undefined) killGroup(child, 'SIGKILL');
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
