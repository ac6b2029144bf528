/**
 * The floor for memory and processor: a process that reads the Services of a cluster and watches them, over the
 * program's own connection, and keeps nothing. Its argument is a kubeconfig.
 */
import { connect } from '../src/kube/connection.ts';
import { listPages } from '../src/kube/list.ts';
import { servicesPath } from '../src/kube/services.ts';
import { watch } from '../src/kube/watch.ts';

const kube = connect({ kubeconfig: process.argv[2], origin: 'of the benchmark', context: undefined });
const path = servicesPath('*');
const { signal } = new AbortController();
for (;;) {
  let resourceVersion = '';
  for await (const page of listPages(kube, { path }, signal)) resourceVersion = page.resourceVersion;
  process.stdout.write('following\n');
  const limits = { resourceVersion, seconds: 3_000, idle: 300_000 };
  for await (const _ of await watch(kube, { path }, limits, signal));
}
