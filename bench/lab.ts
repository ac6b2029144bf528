import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { runChild } from '../test/cluster/child.ts';
import { type Backends, startBackends } from './backends.ts';
import { type BenchCluster, startCluster } from './cluster.ts';

export interface BenchOptions {
  /** Number of Services in the cluster. */
  readonly services: number;
  /** Maximum number of these that are backends; absent: one in ten. */
  readonly backends?: number;
  /** Number of timed changes, and of program starts. */
  readonly samples: number;
  /** Duration of each measurement at rest, and under churn, in seconds. */
  readonly seconds: number;
}

/** Shared resources of the benchmarks of one run. Costly ones are created lazily. */
export interface Lab {
  readonly options: BenchOptions;
  /** A temporary folder, which is deleted after the run. */
  readonly folder: string;
  /** Prints progress. */
  say(text: string): void;
  cluster(): Promise<BenchCluster>;
  backends(): Promise<Backends>;
  /** Path of the program, built from the current sources. */
  program(): Promise<string>;
  /** Path of the program that provides the floor: `raw-follow.ts`, bundled. */
  rawFollow(): Promise<string>;
  /** Writes a file into the folder. @returns its path */
  file(name: string, content: string): Promise<string>;
  close(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '..');

export async function openLab(options: BenchOptions, say: (text: string) => void): Promise<Lab> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-bench-'));
  const open: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })];
  const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  return {
    options,
    folder,
    say,
    cluster: once(async () => {
      const cluster = await startCluster(say);
      open.push(cluster.stop);
      return cluster;
    }),
    backends: once(async () => {
      const backends = await startBackends();
      open.push(backends.stop);
      return backends;
    }),
    program: once(async () => {
      say('building the program');
      const { code, tail } = await runChild(process.execPath, [join(ROOT, 'scripts/build.ts')]);
      if (code !== 0) throw new Error(`the program could not be built:\n${tail.join('\n')}`);
      // A copy, so that a concurrent build does not affect the measurement.
      const copy = join(folder, 'program');
      await cp(join(ROOT, 'dist'), copy, { recursive: true });
      return join(copy, 'dynamic-toolset.js');
    }),
    rawFollow: once(async () => {
      const outfile = join(folder, 'raw-follow.mjs');
      await build({
        entryPoints: [join(import.meta.dirname, 'raw-follow.ts')],
        outfile,
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node24',
        format: 'esm',
        banner: {
          js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
        },
        logLevel: 'warning',
      });
      return outfile;
    }),
    async file(name, content) {
      const path = join(folder, name);
      await writeFile(path, content, { mode: 0o600 });
      return path;
    },
    async close() {
      for (const end of open.toReversed()) await end();
    },
  };
}
