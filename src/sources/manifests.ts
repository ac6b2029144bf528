import { watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../model/discovery.ts';
import type { Interest } from '../model/interest.ts';
import { clusterField, displayKey, HOME_CLUSTER } from '../model/key.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { unreadable } from '../model/unreadable.ts';
import { type File, type FileLimits, ManifestReader } from './manifest-reader.ts';
import { type LocatedService, type Manifest, parseManifest } from './manifest-text.ts';
import type { Change, Source } from './source.ts';

export interface ManifestOptions {
  /** The name of the cluster that they are of; the home cluster without. */
  readonly cluster?: string;
  /** Files, folders, or `-` for standard input. */
  readonly paths: readonly string[];
  /** Only Services of these namespaces; empty for all. */
  readonly namespaces: readonly string[];
  /** The namespace of objects without one. */
  readonly defaultNamespace: string;
  /** Watch the paths, and emit the full set after changes and after each interval (in milliseconds). */
  readonly follow: { readonly interval: number } | undefined;
  readonly stdin: NodeJS.ReadableStream;
  /** Which parts of a Service to keep; default: all. */
  readonly interest?: Interest;
  /** Size limits; default: 16 MiB for each file, 64 MiB for all. */
  readonly bytes?: FileLimits;
}

/** Debounce of file changes in milliseconds, so that a save in several steps is read once. */
const DEBOUNCE = 100;
/** Polling interval in milliseconds, because not every file system reports changes. */
const REREAD_INTERVAL = 5_000;

const PREVIOUS_USED = 'the previous version of the file is used until it is fixed';

/** The Services of the last valid version of each file, by file name. */
type LastValid = Map<string, readonly LocatedService[]>;

/**
 * The Services of a file. If the file is invalid, for example while it is being saved, its last valid version counts.
 * @param lastValid is updated with a valid version
 */
function servicesInFile(
  { name, text }: File,
  { defaultNamespace, interest }: ManifestOptions,
  lastValid: LastValid,
  problems: Problem[],
): readonly LocatedService[] {
  const before = lastValid.get(name);
  const parsed: Manifest =
    text instanceof Error
      ? {
          services: [],
          problems: [
            {
              where: name,
              what: `cannot be read: ${unreadable(text)}`,
              fix: 'it is skipped until it can be',
            },
          ],
          broken: true,
        }
      : parseManifest(text, name, defaultNamespace, interest);
  if (!parsed.broken) lastValid.set(name, parsed.services);
  const kept = parsed.broken ? before : undefined;
  problems.push(
    ...parsed.problems.map((problem) => (kept === undefined ? problem : { ...problem, fix: PREVIOUS_USED })),
  );
  return kept ?? parsed.services;
}

function servicesOf(
  files: readonly File[],
  options: ManifestOptions,
  lastValid: LastValid,
  problems: Problem[],
): { readonly services: readonly Service[]; readonly elsewhere: readonly string[] } {
  const { cluster = HOME_CLUSTER } = options;
  const wanted = new Set(options.namespaces);
  const byKey = new Map<ServiceKey, Service>();
  const elsewhere = new Set<string>();
  for (const file of files) {
    for (const { service: read, where } of servicesInFile(file, options, lastValid, problems)) {
      const service = cluster === HOME_CLUSTER ? read : { ...read, cluster };
      if (wanted.size > 0 && !wanted.has(service.namespace)) {
        elsewhere.add(service.namespace);
        continue;
      }
      const key = serviceKey(service);
      const known = byKey.get(key);
      if (known === undefined) byKey.set(key, service);
      else if (JSON.stringify(known) !== JSON.stringify(service))
        problems.push({
          where,
          what: `Service ${displayKey(service)} is there twice, and differs`,
          fix: 'the first one counts',
        });
    }
  }
  return { services: [...byKey.values()], elsewhere: [...elsewhere].sort() };
}

async function* fileChanges(
  paths: readonly string[],
  interval: number,
  signal: AbortSignal,
): AsyncGenerator<void> {
  let wake: () => void = () => {};
  const watchers = paths
    .filter((path) => path !== '-')
    .map((path) =>
      watch(path, { recursive: true, signal, persistent: true }, () => wake()).on('error', () => {}),
    );
  try {
    while (!signal.aborted) {
      const woken = Promise.withResolvers<void>();
      wake = woken.resolve;
      await Promise.race([
        woken.promise,
        sleep(Math.min(REREAD_INTERVAL, interval), undefined, { signal }).catch(() => {}),
      ]);
      await sleep(DEBOUNCE, undefined, { signal }).catch(() => {});
      yield;
    }
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

/**
 * Services from manifests: YAML or JSON, with several documents per file, and Lists. Other kinds are skipped. A broken document is
 * reported as a problem, and the others still count; while files are watched, the last valid version of the file counts instead.
 * @throws ConfigError from `run` if a path in the options cannot be read at the start
 */
export function manifestSource(options: ManifestOptions): Source {
  return {
    async run(changed, signal) {
      const lastValid: LastValid = new Map();
      const of = clusterField({ cluster: options.cluster ?? HOME_CLUSTER });
      const read = async (): Promise<{ readonly change: Change; readonly content: string }> => {
        const problems: Problem[] = [];
        const files: File[] = [];
        const reader = new ManifestReader(options.stdin, signal, options.bytes);
        for (const path of options.paths) files.push(...(await reader.read(path)));
        const content =
          options.follow === undefined
            ? ''
            : JSON.stringify(files.map(({ name, text }) => [name, String(text)]));
        const { services, elsewhere } = servicesOf(files, options, lastValid, problems);
        const others = elsewhere.length === 0 ? {} : { elsewhere };
        // Forget deleted files.
        const there = new Set(files.map(({ name }) => name));
        for (const name of lastValid.keys()) if (!there.has(name)) lastValid.delete(name);
        return { content, change: { kind: 'sync', ...of, services, stale: [], problems, ...others } };
      };
      const first = await read();
      changed(first.change);
      if (options.follow === undefined || options.paths.includes('-')) return;
      const { hash } = await import('node:crypto');
      const digestOf = (content: string): string => hash('sha256', content);
      let last = digestOf(first.content);
      let emittedAt = performance.now();
      for await (const _ of fileChanges(options.paths, options.follow.interval, signal)) {
        if (signal.aborted) return;
        try {
          const next = await read();
          const digest = digestOf(next.content);
          if (digest === last && performance.now() - emittedAt < options.follow.interval) continue;
          last = digest;
          emittedAt = performance.now();
          changed(next.change);
        } catch (error) {
          if (signal.aborted) return;
          changed({ kind: 'failure', error, reason: 'input', retryIn: REREAD_INTERVAL });
        }
      }
    },
  };
}
