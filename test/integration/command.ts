import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { inject, onTestFinished } from 'vitest';

/** How a command ended, and what it wrote. */
export interface Ended {
  /** The exit code; nothing if a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  kill(): void;
  readonly ended: Promise<Ended>;
}

/** Starts the command line, with nothing of this process' environment but what is given. */
export function start(env: Readonly<Record<string, string>>, ...args: readonly string[]): Running {
  const child = spawn(process.execPath, [inject('program'), ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  const code = new Promise<number | null>((resolve) => child.on('exit', resolve));
  onTestFinished(kill);
  return {
    kill,
    ended: Promise.all([code, text(child.stdout), text(child.stderr)]).then(([ended, stdout, stderr]) => ({
      code: ended,
      stdout,
      stderr,
    })),
  };
}

/** Runs the command line to its end. */
export const command = (env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Ended> =>
  start(env, ...args).ended;

/** Runs the command line with a reader of its output that is gone before anything is written. @returns the exit code */
export async function closedEarly(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<number | null> {
  const child = spawn(process.execPath, [inject('program'), ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.destroy();
  onTestFinished(() => void child.kill('SIGKILL'));
  return new Promise((resolve) => child.on('exit', resolve));
}
