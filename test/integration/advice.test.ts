import { expect, test } from 'vitest';
import { testCluster } from '../cluster/cluster.ts';
import { hasKubectl, Workplace } from '../docs/workplace.ts';

interface Explained {
  readonly used: boolean;
  readonly backend?: { readonly type: string };
  readonly advice: readonly { readonly lines: readonly string[] }[];
}

/** A namespace, and a shell with cluster-admin rights. */
async function setting() {
  const cluster = testCluster();
  const namespace = await cluster.namespace('advised');
  const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
  const account = { namespace, clusterRules: [everything] };
  const workplace = await Workplace.create(await cluster.kubeconfig(await cluster.serviceAccount(account)));
  const env = { PROBE: 'none', NAMESPACES: '*', CONFIGMAP_NAMESPACE: namespace };
  const run = async (command: string): Promise<string> => {
    const { exitCode, text } = await workplace.run(command, env);
    expect(exitCode, `${command}\n${text}`).toBe(0);
    return text;
  };
  const explained = async (name: string): Promise<Explained> =>
    JSON.parse(await run(`dynamic-toolset explain ${namespace}/${name} -o json 2>/dev/null`));
  return {
    run,
    service: (name: string, more: object = {}) =>
      cluster.service(namespace, { name, ports: [{ port: 9090, name: 'web' }], ...more }),
    /** Explains a Service, runs the commands of its n-th advice, and explains it again. */
    async followed(name: string, index: number): Promise<Explained> {
      const before = await explained(name);
      expect(before.used).toBe(false);
      for (const line of before.advice[index]?.lines ?? []) await run(line);
      return explained(name);
    },
  };
}

test.skipIf(!hasKubectl)(
  'the commands that explain prints change the verdict',
  { timeout: 180_000 },
  async () => {
    const { run, service, followed } = await setting();
    await service('numbers');
    await service('api');
    await service('thing', { labels: { app: 'loki-thing' }, ports: [{ port: 8080, name: 'api' }] });
    await service('node-exporter', { labels: { app: 'prometheus-node-exporter' } });
    await service('prometheus', { annotations: { 'kubernaut.io/toolset': 'false' } });
    // Approvals are written into the published ConfigMap.
    await run('dynamic-toolset serve --once --force');
    expect(await followed('numbers', 0)).toMatchObject({ used: true, backend: { type: 'prometheus' } });
    expect(await followed('api', 1)).toMatchObject({ used: true, backend: { type: 'custom' } });
    expect(await followed('thing', 1)).toMatchObject({ used: true, backend: { type: 'loki' } });
    expect(await followed('node-exporter', 1)).toMatchObject({ used: true, backend: { type: 'custom' } });
    expect(await followed('prometheus', 0)).toMatchObject({ used: true, backend: { type: 'prometheus' } });
  },
);
