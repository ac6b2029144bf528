/**
 * Prepares the programs of the test control plane. Progress goes to standard error; the only line on standard output is
 * their folder: `KUBEBUILDER_ASSETS=$(npm run -s control-plane)`.
 */
import { parseArgs } from 'node:util';
import { controlPlaneBinaries, NoControlPlane } from '../test/cluster/binaries.ts';
import { Interrupted } from '../test/cluster/child.ts';

const { values } = parseArgs({ options: { 'no-download': { type: 'boolean', default: false } } });
try {
  const folder = await controlPlaneBinaries(values['no-download'] ? { download: false } : {});
  process.stdout.write(`${folder}\n`);
} catch (error) {
  if (error instanceof Interrupted) {
    process.stderr.write('control plane: interrupted; run it again and it goes on where it stopped\n');
    process.kill(process.pid, error.signal);
  } else {
    const text = error instanceof NoControlPlane || !(error instanceof Error) ? String(error) : error.stack;
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  }
}
