import { expect, test } from 'vitest';
import { cliContext } from '../../../test/fixtures/unit/cli.ts';
import { clusterWith, publishedToolOf, serviceObject } from '../../../test/fixtures/unit/cluster-state.ts';
import { explainCommand } from '../explain.ts';

/** What `explain` says in a cluster where `serve` keeps one Service of each namespace, and published the newest one. */
async function explained(name: string): Promise<string> {
  const kubeconfig = await clusterWith({
    settings: { 'max-namespace-services': '1' },
    services: [
      serviceObject('oldest', 'elasticsearch', 9200, '2020-01-01T00:00:00Z'),
      serviceObject('in-use', 'elasticsearch', 9200, '2026-01-01T00:00:00Z'),
    ],
    tools: [publishedToolOf('in-use', 'elasticsearch', 9200)],
  });
  const { cli, written } = cliContext({ env: { PROBE: 'none' } });
  await explainCommand(`shop/${name}`, { kubeconfig, output: 'text' }, cli);
  return written.result;
}

test('MAX_NAMESPACE_SERVICES leaves out what is not in use, as serve does', async () => {
  expect(await explained('in-use')).toContain('elasticsearch, in the documents as the tool in-use.shop');
});

test('what it leaves out is said with the limit, and the advice is to raise that', async () => {
  const text = await explained('oldest');
  expect(text).toMatch(
    /left out: namespace shop has 2 Services that look like backends: the limit is 1 .*; raise MAX_NAMESPACE_SERVICES/,
  );
  expect(text).toMatch(/What you can do\n {2}.*, in the settings of serve:\n {4}maxNamespaceServices: 2\n$/);
  expect(text.match(/the limit is 1/g)).toHaveLength(1);
});
