import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Whom a witness asks. */
export interface Watched {
  readonly healthPort: number;
  readonly port: number;
  /** A server that does nothing else, as the floor. */
  readonly barePort: number;
  /** The token of the fair client. */
  readonly token: string;
}

/** How long an answer took, in milliseconds, and whether it was a good one. */
export interface Asked {
  readonly ms: number;
  readonly ok: boolean;
}

/** The answers of `/health`, of the API, and of the bare server. */
export interface Seen {
  readonly health: readonly Asked[];
  readonly client: readonly Asked[];
  readonly bare: readonly Asked[];
}

/** Asks for health and for the toolsets from now on, in a process of its own. @returns ends it, and says what was seen */
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
