import type { TestProject } from 'vitest/node';
import type {} from './connection.ts';
import { startControlPlane } from './control-plane.ts';

/**
 * Vitest global setup: one control plane for the whole run, which tests reach by the helpers in `cluster.ts`. No time
 * limit applies to it, so that a first run may build the programs.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { connection, stop } = await startControlPlane();
  project.provide('cluster', connection);
  return stop;
}
