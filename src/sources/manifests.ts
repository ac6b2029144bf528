import { type Dirent, watch } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../model/discovery.ts';
import { ConfigError, type UserError } from '../model/errors.ts';
import type { Interest } from '../model/interest.ts';
import { displayKey } from '../model/key.ts';
import { type Service, type ServiceKey, serviceKey } from '../model/service.ts';
import { unreadable } from '../model/unreadable.ts';
import { type Found, type Manifest, parseManifest } from './manifest-text.ts';
import type { Change, Source } from './source.ts';

export interface ManifestOptions {
  /** Files, folders, or `-` for standard input. */
  readonly paths: readonly string[];
  /** Only Services of these namespaces; all when empty. */
  readonly namespaces: readonly string[];
  /** The namespace of objects that name none. */
  readonly defaultNamespace: string;
  /** Keep looking at the paths: tell when what they hold changes, and all of it again after this many milliseconds. */
  readonly follow: { readonly interval: number } | undefined;
  readonly stdin: NodeJS.ReadableStream;
  /** What of a Service is kept; all of it without. */
  readonly interest?: Interest;
  /** Most bytes of one file, and of all together; 16 and 64 MiB without. */
  readonly bytes?: FileLimits;
}

export interface FileLimits {
  readonly each: number;
  readonly all: number;
}

const MIB = 1024 * 1024;
const BYTES: FileLimits = { each: 16 * MIB, all: 64 * MIB };

/** Pause after a change to files, so that a save in several steps is read once, in milliseconds. */
const SETTLE = 100;
/** How often the paths are read without a notice that they changed, in milliseconds. */
const REREAD = 5_000;

/** What is done about a file that can no longer be read. */
const KEPT = 'the previous version of the file is used until it is fixed';

const MANIFEST = /\.(ya?ml|json)$/i;

interface File {
  readonly name: string;
  /** What is in it, or why it cannot be read. */
  readonly text: string | Error;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory() && MANIFEST.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** A path that was named and cannot be read. */
const notRead = (path: string, error: unknown): UserError =>
  new ConfigError(
    `cannot read ${path}: ${unreadable(error)}; -f takes files, folders, or - for standard input`,
    { cause: error },
  );

/** How many more bytes may be read. */
class Allowance {
  readonly #limits: FileLimits;
  #left: number;

  constructor(limits: FileLimits) {
    this.#limits = limits;
    this.#left = limits.all;
  }

  /** @throws Error when that is too much, of one file or together with what was read before */
  take(bytes: number): void {
    const { each, all } = this.#limits;
    if (bytes > each)
      throw new Error(`it has more than ${size(each)}, which is the most that is read of a file`);
    this.#left -= bytes;
    if (this.#left < 0)
      throw new Error(`all files together have more than ${size(all)}, which is the most that is read`);
  }
}

const size = (bytes: number): string => (bytes >= MIB ? `${Math.floor(bytes / MIB)} MiB` : `${bytes} bytes`);

async function readFileWithin(name: string, allowance: Allowance): Promise<string> {
  allowance.take((await stat(name)).size);
  return await readFile(name, 'utf8');
}

/** All that comes in, up to the limits. */
async function readStdin(stdin: NodeJS.ReadableStream, limits: FileLimits): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    new Allowance(limits).take(bytes);
    chunks.push(piece);
  }
  return Buffer.concat(chunks).toString();
}

async function readPath(
  path: string,
  { stdin, bytes = BYTES }: ManifestOptions,
  allowance: Allowance,
): Promise<File[]> {
  if (path === '-') {
    try {
      return [{ name: 'standard input', text: await readStdin(stdin, bytes) }];
    } catch (error) {
      throw notRead('standard input', error);
    }
  }
  let names: string[];
  try {
    names = (await stat(path)).isDirectory() ? await filesBelow(path) : [path];
  } catch (error) {
    throw notRead(path, error);
  }
  const files: File[] = [];
  for (const name of names) {
    try {
      files.push({ name, text: await readFileWithin(name, allowance) });
    } catch (error) {
      if (name === path) throw notRead(path, error);
      files.push({ name, text: error as Error });
    }
  }
  return files;
}

/** What each file held when it could last be read as a whole, by the file's name. */
type Readable = Map<string, readonly Found[]>;

/**
 * What a file holds: of one that is being saved, or was saved with a mistake, what it held before.
 * @param readable takes what it holds, where it can be read as a whole
 */
function foundIn(
  { name, text }: File,
  { defaultNamespace, interest }: ManifestOptions,
  readable: Readable,
  problems: Problem[],
): readonly Found[] {
  const before = readable.get(name);
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
  if (!parsed.broken) readable.set(name, parsed.services);
  const kept = parsed.broken ? before : undefined;
  problems.push(
    ...parsed.problems.map((problem) => (kept === undefined ? problem : { ...problem, fix: KEPT })),
  );
  return kept ?? parsed.services;
}

function servicesOf(
  files: readonly File[],
  options: ManifestOptions,
  readable: Readable,
  problems: Problem[],
): Service[] {
  const wanted = new Set(options.namespaces);
  const byKey = new Map<ServiceKey, Service>();
  for (const file of files) {
    for (const { service, where } of foundIn(file, options, readable, problems)) {
      if (wanted.size > 0 && !wanted.has(service.namespace)) continue;
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
  return [...byKey.values()];
}

async function* notices(
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
        sleep(Math.min(REREAD, interval), undefined, { signal }).catch(() => {}),
      ]);
      await sleep(SETTLE, undefined, { signal }).catch(() => {});
      yield;
    }
  } finally {
    for (const watcher of watchers) watcher.close();
  }
}

/**
 * Services from manifests: YAML or JSON, several documents in a file, Lists. Other kinds are passed over; a broken
 * document is told as a problem and the others still count; where files are followed, the last version of the file
 * that could be read counts in its place.
 * @throws UserError from `run` if a path that was named cannot be read at the start
 */
export function manifestSource(options: ManifestOptions): Source {
  return {
    async run(changed, signal) {
      const readable: Readable = new Map();
      const read = async (): Promise<{ readonly change: Change; readonly content: string }> => {
        const problems: Problem[] = [];
        const files: File[] = [];
        const allowance = new Allowance(options.bytes ?? BYTES);
        for (const path of options.paths) files.push(...(await readPath(path, options, allowance)));
        const content =
          options.follow === undefined
            ? ''
            : JSON.stringify(files.map(({ name, text }) => [name, String(text)]));
        const services = servicesOf(files, options, readable, problems);
        // What is no longer there is not kept.
        const there = new Set(files.map(({ name }) => name));
        for (const name of readable.keys()) if (!there.has(name)) readable.delete(name);
        return { content, change: { kind: 'sync', services, unread: [], problems } };
      };
      const first = await read();
      changed(first.change);
      if (options.follow === undefined || options.paths.includes('-')) return;
      const { hash } = await import('node:crypto');
      const digestOf = (content: string): string => hash('sha256', content);
      let last = digestOf(first.content);
      let told = performance.now();
      for await (const _ of notices(options.paths, options.follow.interval, signal)) {
        if (signal.aborted) return;
        try {
          const next = await read();
          const digest = digestOf(next.content);
          if (digest === last && performance.now() - told < options.follow.interval) continue;
          last = digest;
          told = performance.now();
          changed(next.change);
        } catch (error) {
          changed({ kind: 'failure', error, reason: 'input', retryIn: REREAD });
        }
      }
    },
  };
}
