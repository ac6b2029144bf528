/**
 * The floor for memory and CPU: a process that lists and watches the Services of a cluster over the program's own
 * connection, and stores nothing. Its argument is a kubeconfig.
 */
import { connect } from '../src/kubernetes/connection.ts';
import { listPages } from '../src/kubernetes/list.ts';
import { servicesPath } from '../src/kubernetes/services.ts';
import { watch } from '../src/kubernetes/watch.ts';

const kube = connect({ kubeconfig: process.argv[2], origin: 'of the benchmark', context: undefined });
const path = servicesPath('*');
const { signal } = new AbortController();
for (;;) {
  let resourceVersion = '';
  for await (const page of listPages(kube, { path }, signal)) resourceVersion = page.resourceVersion;
  process.stdout.write('following\n');
  const limits = { resourceVersion, seconds: 3_000, idleTimeout: 300_000 };
  for await (const _ of await watch(kube, { path }, limits, signal));
}
