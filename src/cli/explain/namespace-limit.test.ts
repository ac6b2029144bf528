import { expect, test } from 'vitest';
import { cliContext } from '../../../test/fixtures/unit/cli.ts';
import { json, kubeconfigFor, kubeServer, refuse } from '../../../test/fixtures/unit/kube-server.ts';
import { explainCommand } from '../explain.ts';

const elasticsearch = (name: string, creationTimestamp: string) => ({
  metadata: {
    namespace: 'shop',
    name,
    uid: name,
    creationTimestamp,
    labels: { 'app.kubernetes.io/name': 'elasticsearch' },
  },
  spec: { selector: { app: name }, ports: [{ name: 'http', port: 9200 }], clusterIP: '10.0.0.1' },
});
const SERVICES = [
  elasticsearch('oldest', '2020-01-01T00:00:00Z'),
  elasticsearch('in-use', '2026-01-01T00:00:00Z'),
];
const PUBLISHED = {
  name: 'in-use.shop',
  type: 'elasticsearch',
  endpoint: 'http://in-use.shop.svc.cluster.local:9200',
  description: 'd',
  namespace: 'shop',
  metadata: { service: 'in-use' },
};

/** What `explain` says in a cluster where `serve` keeps one Service of each namespace, and published the newest one. */
async function explained(name: string): Promise<string> {
  const { server } = await kubeServer((response, { path }) => {
    if (path.endsWith('/configmaps/dynamic-toolset-config'))
      return json(response, {
        metadata: { resourceVersion: '1' },
        data: { 'max-namespace-services': '1' },
      });
    if (path.endsWith('/configmaps/kubernaut-toolset-config'))
      return json(response, {
        metadata: { resourceVersion: '1' },
        data: { 'toolset.json': JSON.stringify({ tools: [PUBLISHED] }) },
      });
    if (path.endsWith('/services') || path.endsWith('/endpointslices'))
      return json(response, {
        metadata: { resourceVersion: '5' },
        items: path.endsWith('/services') ? SERVICES : [],
      });
    refuse(response, 404, 'NotFound');
  });
  const { cli, written } = cliContext({ env: { PROBE: 'none' } });
  await explainCommand(`shop/${name}`, { kubeconfig: await kubeconfigFor(server), output: 'text' }, cli);
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
