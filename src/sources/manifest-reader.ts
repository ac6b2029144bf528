import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileLimitError, readRegularFile, readStream, readText, sizeText } from '../files/read-text.ts';
import { ConfigError, type UserError } from '../model/errors.ts';
import { unreadable } from '../model/unreadable.ts';

export interface FileLimits {
  readonly each: number;
  readonly all: number;
}

const MIB = 1024 * 1024;
const DEFAULT_LIMITS: FileLimits = { each: 16 * MIB, all: 64 * MIB };

const MANIFEST = /\.(ya?ml|json)$/i;

/** A file with manifests. */
export interface File {
  readonly name: string;
  /** The contents, or why the file cannot be read. */
  readonly text: string | Error;
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => !entry.isDirectory() && MANIFEST.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** All files together have more bytes than the limit. */
class TotalLimitError extends Error {}

/** The error for a path in the options that cannot be read. */
function unreadablePath(path: string, error: unknown): UserError {
  const fix =
    error instanceof FileLimitError
      ? 'divide it into several files'
      : error instanceof TotalLimitError
        ? 'give -f fewer files'
        : '-f takes files, folders, or - for standard input';
  return new ConfigError(`cannot read ${path}: ${unreadable(error, fix)}`, { cause: error });
}

/** Reads texts up to the limits. */
export class ManifestReader {
  readonly #limits: FileLimits;
  readonly #stdin: NodeJS.ReadableStream;
  readonly #signal: AbortSignal;
  /** Bytes that may still be read. */
  #left: number;

  /** @param limits default: 16 MiB for each file, 64 MiB for all */
  constructor(stdin: NodeJS.ReadableStream, signal: AbortSignal, limits = DEFAULT_LIMITS) {
    this.#limits = limits;
    this.#stdin = stdin;
    this.#signal = signal;
    this.#left = limits.all;
  }

  /** Reads what a path names. @throws ConfigError; AbortError */
  async read(path: string): Promise<File[]> {
    const name = path === '-' ? 'standard input' : path;
    try {
      if (path === '-')
        return [{ name, text: await this.#take((each) => readStream(this.#stdin, each, this.#signal)) }];
      if ((await stat(path)).isDirectory()) return await this.#folder(path);
      return [{ name, text: await this.#take((each) => readText(path, each, this.#signal)) }];
    } catch (error) {
      this.#signal.throwIfAborted();
      throw unreadablePath(name, error);
    }
  }

  /** Reads the manifests of a folder. One that cannot be read does not affect others. */
  async #folder(folder: string): Promise<File[]> {
    const files: File[] = [];
    for (const name of await filesBelow(folder)) {
      try {
        files.push({ name, text: await this.#take((each) => readRegularFile(name, each, this.#signal)) });
      } catch (error) {
        this.#signal.throwIfAborted();
        files.push({ name, text: error as Error });
      }
    }
    return files;
  }

  /** @throws FileLimitError, TotalLimitError */
  async #take(read: (limit: number) => Promise<string>): Promise<string> {
    const { each, all } = this.#limits;
    const text = this.#left < 0 ? '' : await read(each);
    this.#left -= Buffer.byteLength(text);
    if (this.#left < 0)
      throw new TotalLimitError(`all files together have more than ${sizeText(all)}, the limit`);
    return text;
  }
}
