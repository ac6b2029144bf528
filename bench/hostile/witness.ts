import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** The servers that a witness sends requests to. */
export interface Watched {
  readonly healthPort: number;
  readonly port: number;
  /** A server that does nothing but answer, as the floor. */
  readonly barePort: number;
  /** The token of the well-behaved client. */
  readonly token: string;
}

/** Duration of a request in milliseconds, and whether it succeeded. */
export interface Asked {
  readonly ms: number;
  readonly ok: boolean;
}

/** Requests to `/health`, to the API, and to the bare server. */
export interface Seen {
  readonly health: readonly Asked[];
  readonly client: readonly Asked[];
  readonly bare: readonly Asked[];
}

/** Starts a process that requests health and the toolsets. @returns a function that ends it and returns its requests */
export function startWitness(watched: Watched): () => Promise<Seen> {
  const child = fork(join(import.meta.dirname, 'witness-process.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  child.send(watched);
  return async () => {
    const answered = once(child, 'message', { signal: AbortSignal.timeout(30_000) });
    child.send('end');
    const [seen] = (await answered) as [Seen];
    child.kill();
    return seen;
  };
}

/** Starts the servers of `servers-process.ts`. @returns their ports by name, and how to stop them */
export async function startHostileServers(): Promise<{
  readonly ports: Readonly<Record<string, number>>;
  readonly stop: () => void;
}> {
  const child = fork(join(import.meta.dirname, 'servers-process.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [ports] = (await once(child, 'message', { signal: AbortSignal.timeout(30_000) })) as [
    Record<string, number>,
  ];
  return { ports, stop: () => void child.kill() };
}
