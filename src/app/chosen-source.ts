import type { Interest } from '../model/interest.ts';
import type { Source } from '../sources/source.ts';

/** How a chosen source is read. */
export interface ReadOptions {
  /** Only Services of these namespaces; empty for all. */
  readonly namespaces: readonly string[];
  /** Watch it, and emit the full set after each interval (in milliseconds); absent: emit it once, and end. */
  readonly follow: { readonly interval: number } | undefined;
  /** Which parts of a Service are needed. */
  readonly interest: Interest;
}

/** A source that a user chose instead of the cluster. */
export interface ChosenSource {
  /** Where the Services are, for messages. */
  readonly where: string;
  /** The words of a command line that choose it again, such as `-f` and `services.yaml`. */
  readonly words: readonly string[];
  /** Whether it reads standard input, which can be read only once. */
  readonly readsStdin: boolean;
  open(options: ReadOptions): Promise<Source>;
}

/** Manifests in files and folders; `-` is standard input. */
export const chosenManifests = (paths: readonly string[], stdin: NodeJS.ReadableStream): ChosenSource => ({
  where: paths.map((path) => (path === '-' ? 'standard input' : path)).join(', '),
  words: paths.flatMap((path) => ['-f', path]),
  readsStdin: paths.includes('-'),
  async open({ namespaces, ...options }) {
    const { manifestSource } = await import('../sources/manifests.ts');
    const [only = 'default', ...others] = namespaces;
    const defaultNamespace = others.length === 0 ? only : 'default';
    return manifestSource({ ...options, paths, namespaces, defaultNamespace, stdin });
  },
});
