import { Readable, Writable } from 'node:stream';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import type { CliContext } from '../../src/cli/cli-context.ts';
import { generateCommand } from '../../src/cli/generate.ts';
import { rollbackCommand } from '../../src/cli/rollback.ts';
import { type ServeFlags, serveCommand } from '../../src/cli/serve.ts';
import type { Documents } from '../../src/model/documents.ts';

/** `serve` inside this process, for tests where the start of a process is not the point. */
export interface Inside {
  /** Ends it, with all that it remembers. */
  stop(): Promise<void>;
  readonly ended: Promise<number>;
  /** What it logged. */
  log(): string;
}

type Environment = Readonly<Record<string, string>>;

/** Maximum time for a command that ends on its own, in milliseconds. */
const LIMIT = 30_000;

const collector = (): { readonly sink: Writable; readonly text: () => string } => {
  const chunks: string[] = [];
  const sink = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { sink, text: () => chunks.join('') };
};

/** The kubeconfig goes by flag: the library reads the variable from the process that it runs in. */
const kubeconfigOf = ({ KUBECONFIG }: Environment): { readonly kubeconfig?: string } =>
  KUBECONFIG === undefined ? {} : { kubeconfig: KUBECONFIG };

const invocation = (env: Environment, sink: Writable, signal: AbortSignal, result = sink): CliContext => ({
  env,
  stdin: Readable.from([]),
  output: { result, messages: sink },
  version: packageJson.version,
  signal,
});

export function serveInside(env: Environment, flags: ServeFlags = {}): Inside {
  const stop = new AbortController();
  const { sink, text } = collector();
  const ended = serveCommand({ ...flags, ...kubeconfigOf(env) }, invocation(env, sink, stop.signal));
  // Who waits for the end hears of a failure; until then it is nobody's.
  ended.catch(() => {});
  return {
    ended,
    log: text,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

/** Publishes once. @throws with the log what kept it from that */
export async function serveOnce(env: Environment): Promise<void> {
  const serve = serveInside(env, { once: true });
  await serve.ended.catch((error: unknown) => {
    throw new Error(`serve --once failed: ${serve.log()}`, { cause: error });
  });
}

/** The documents that `generate` gives. @param overrides a file with them */
export async function generated(env: Environment, overrides?: string): Promise<Documents> {
  const [result, messages] = [collector(), collector()];
  const flags = { format: 'configmap', ...kubeconfigOf(env) } as const;
  await generateCommand(
    overrides === undefined ? flags : { ...flags, overrides },
    invocation(env, messages.sink, AbortSignal.timeout(LIMIT), result.sink),
  );
  return documentsOf(parse(result.text()));
}

/** The documents in a ConfigMap. */
export const documentsOf = ({ data }: { readonly data: Readonly<Record<string, string>> }): Documents => ({
  'toolset.json': data['toolset.json'] ?? '',
  'custom_toolset.yaml': data['custom_toolset.yaml'] ?? '',
});

/** `rollback --to` a revision. */
export async function rollbackTo(env: Environment, to: number): Promise<void> {
  const { sink } = collector();
  await rollbackCommand({ to, ...kubeconfigOf(env) }, invocation(env, sink, AbortSignal.timeout(LIMIT)));
}
