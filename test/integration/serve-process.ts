import { type ChildProcess, spawn } from 'node:child_process';
import { inject, onTestFinished } from 'vitest';
import { waitUntil } from '../cluster/wait.ts';

/** One line of the service's log. */
export type LogLine = Readonly<Record<string, unknown>> & {
  readonly level: string;
  readonly message: string;
};

/** A running `serve`. */
export interface Serve {
  readonly process: ChildProcess;
  /** What it logged so far. */
  readonly lines: readonly LogLine[];
  /** Waits until a line is logged whose message holds a text. */
  logged(text: string): Promise<LogLine>;
  /** Sends a signal and waits for the end. @returns the exit code */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts the real `serve` as a process of its own, with nothing of this process' environment but what is given. */
export function startServe(env: Readonly<Record<string, string>>, args: readonly string[] = []): Serve {
  const child = spawn(process.execPath, [inject('program'), 'serve', ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: LogLine[] = [];
  let rest = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts)
      lines.push(part.startsWith('{') ? JSON.parse(part) : { level: 'text', message: part });
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    process: child,
    lines,
    logged: (text) =>
      waitUntil(`serve logs "${text}"`, () => lines.find(({ message }) => message.includes(text)), {
        limitMs: 20_000,
      }).catch((error: Error) => {
        throw new Error(`${error.message}\n${lines.map((line) => JSON.stringify(line)).join('\n')}`);
      }),
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}
