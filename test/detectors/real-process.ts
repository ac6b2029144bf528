import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where a program is, if it is installed. */
export function installed(program: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, program);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** A port of the loopback address on which nothing listens now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server that runs as a process of its own. */
export interface RealServer {
  readonly port: number;
  /** All that it wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

export interface RealServerOptions {
  readonly program: string;
  /** Its arguments, given the port to listen on and a folder of its own. */
  readonly args: (port: number, folder: string) => readonly string[];
  /** Files to write into that folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Environment beside the path, given the port. */
  readonly env?: (port: number) => Readonly<Record<string, string>>;
  /** Longest time until it answers, in milliseconds. */
  readonly patience?: number;
}

async function answers(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(1_000),
    });
    await response.body?.cancel();
    return true;
  } catch {
    // It does not listen yet.
    return false;
  }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await Promise.race([exit, sleep(3_000)]);
  child.kill('SIGKILL');
  await exit;
}

/** Starts a server on a free loopback port, with an empty folder of its own, and waits until it answers. */
export async function startReal(options: RealServerOptions): Promise<RealServer> {
  const folder = await mkdtemp(join(tmpdir(), 'real-server-'));
  for (const [name, content] of Object.entries(options.files ?? {}))
    await writeFile(join(folder, name), content);
  const port = await freePort();
  const child = spawn(options.program, options.args(port, folder), {
    cwd: folder,
    env: { PATH: process.env.PATH, ...options.env?.(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let failure: Error | undefined;
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  child.on('error', (error) => {
    failure = error;
  });
  const stop = async (): Promise<void> => {
    if (failure === undefined) await stopped(child);
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + (options.patience ?? 20_000);
  while (!(await answers(port))) {
    if (failure !== undefined || child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`${options.program} does not answer: ${output.slice(-2_000)}`, { cause: failure });
    }
    await sleep(50);
  }
  return { port, stop, output: () => output };
}
