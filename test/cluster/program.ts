import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the program as it ships, built from the sources of this run. */
    program: string;
  }
}

/**
 * Vitest global setup: builds the program once for the whole run. What ships is tested, and it starts several times
 * faster than the sources do. The folder is this run's own, so that a build beside it changes nothing.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-program-'));
  const script = join(import.meta.dirname, '../../scripts/build.ts');
  await promisify(execFile)(process.execPath, [script, folder]);
  project.provide('program', join(folder, 'dynamic-toolset.js'));
  return () => rm(folder, { recursive: true, force: true });
}
