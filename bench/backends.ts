import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type BenchService, hostOf, recordingNames } from './services.ts';

/** The name of the server that never answers. */
export const SILENT = 'silent';

/** Messages to and from the process of the backends. */
export type ToBackends = { readonly play: readonly string[] } | { readonly delay: number | 'never' };
export type FromBackends = { readonly ports: Readonly<Record<string, number>> } | { readonly ready: true };

/** Backends on this machine, in a process of their own. */
export interface Backends {
  /** Sets the delay of responses, in milliseconds, or disables responses. */
  answerAfter(delay: number | 'never'): Promise<void>;
  /** The value of `connectTo` in a configuration file that connects these Services to their backends. */
  connectTo(services: readonly BenchService[]): string[];
  /** The same with a server that accepts connections and never answers. */
  connectToDead(services: readonly BenchService[]): string[];
  stop(): void;
}

/** Starts one server for each kind of backend: all Services of the kind lead to it. */
export async function startBackends(): Promise<Backends> {
  const child = fork(join(import.meta.dirname, 'backend-process.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ask = async (message: ToBackends): Promise<FromBackends> => {
    const answered = once(child, 'message', { signal: AbortSignal.timeout(30_000) });
    child.send(message);
    const [answer] = (await answered) as [FromBackends];
    return answer;
  };
  const answer = await ask({ play: recordingNames });
  if (!('ports' in answer)) throw new Error('the process of the backends did not report its ports');
  return {
    async answerAfter(delay) {
      await ask({ delay });
    },
    connectTo: (services) =>
      services.flatMap((service) =>
        service.backend === undefined ? [] : `${hostOf(service)}:127.0.0.1:${answer.ports[service.backend]}`,
      ),
    connectToDead: (services) =>
      services.map((service) => `${hostOf(service)}:127.0.0.1:${answer.ports[SILENT]}`),
    stop: () => void child.kill(),
  };
}
