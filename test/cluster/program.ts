import type { TestProject } from 'vitest/node';
import { builtProgram } from './built-program.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the program as it ships, built from the sources of this run. */
    program: string;
  }
}

/**
 * Vitest global setup: the built program, for tests that start processes. It is what ships, and it starts several times
 * faster than the sources do.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { path, remove } = await builtProgram();
  project.provide('program', path);
  return remove;
}
