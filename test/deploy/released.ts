import { testCluster, waitUntil } from '../cluster/cluster.ts';
import { startBackend } from '../integration/backend.ts';
import { command } from '../integration/command.ts';
import { type Serve, startServe } from '../integration/serve-process.ts';
import { type ConfigMap, toolNames } from '../integration/setting.ts';
import { objects, only, type Rendered, type Values } from './chart.ts';
import { install, installMonitoringKinds } from './install.ts';
import type { Places } from './matrix.ts';
import { recorder } from './recorder.ts';

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

interface DeploymentSpec {
  readonly selector: object;
  readonly template: {
    readonly metadata: object;
    readonly spec: {
      readonly serviceAccountName: string;
      readonly containers: readonly { readonly args: readonly string[]; readonly env: readonly Variable[] }[];
    };
  };
}

/** A running replica, as its Pod would run it. */
export interface Replica {
  readonly serve: Serve;
  /** Where its API listens, and where its metrics are. */
  readonly api: string;
  readonly metrics: string;
}

/**
 * The chart's objects in the test cluster, and what the controllers of a real one would make of the Deployment: a
 * ReplicaSet and Pods. The program runs here and not in them, with their environment and the token of their account, so
 * with the rights that were rendered and no others.
 */
export async function release(valuesFor: (places: Places) => Values, cluster = testCluster()) {
  const { admin } = cluster;
  const namespace = await cluster.namespace('release');
  const places: Places = {
    watched: await cluster.namespace('watched'),
    other: await cluster.namespace('other'),
    holmes: await cluster.namespace('holmes'),
  };
  const backend = await startBackend();
  await cluster.service(places.watched, {
    name: 'prometheus',
    labels: { 'app.kubernetes.io/name': 'prometheus' },
    ports: [{ port: 9090, name: 'web' }],
  });
  const prometheus = await cluster.serviceAccount({ namespace: places.watched, name: 'prometheus' });
  await installMonitoringKinds(admin);
  const all = await objects(valuesFor(places), { name: 'dynamic-toolset', namespace });
  for (const object of all) await install(admin, object);
  const deployment = only(all, 'Deployment');
  const { selector, template } = deployment.spec as DeploymentSpec;
  const controlled = async (kind: string, owner: Rendered, name: string, more: object): Promise<Rendered> => {
    const { apiVersion, metadata } = owner;
    const group = kind === 'Pod' ? 'api/v1' : 'apis/apps/v1';
    const path = `/apis/${apiVersion}/namespaces/${namespace}/${owner.kind.toLowerCase()}s/${metadata.name}`;
    const { uid } = (await admin.get(path)).metadata;
    const object = {
      apiVersion: kind === 'Pod' ? 'v1' : 'apps/v1',
      kind,
      metadata: {
        ...template.metadata,
        name,
        namespace,
        ownerReferences: [{ apiVersion, kind: owner.kind, name: metadata.name, uid, controller: true }],
      },
      ...more,
    };
    await admin.create(`/${group}/namespaces/${namespace}/${kind.toLowerCase()}s`, object);
    return object;
  };
  const set = await controlled('ReplicaSet', deployment, 'dynamic-toolset-1', {
    spec: { selector, template },
  });

  const account = { namespace, name: template.spec.serviceAccountName };
  const token = await cluster.token({
    ...account,
    user: `system:serviceaccount:${namespace}:${account.name}`,
  });
  const recorded = await recorder(cluster.connection, token);
  const [container] = template.spec.containers;
  const env = (pod: string): Record<string, string> => ({
    ...Object.fromEntries(
      (container?.env ?? []).map(({ name, value = '', valueFrom }) => [
        name,
        { 'metadata.name': pod, 'metadata.namespace': namespace }[valueFrom?.fieldRef?.fieldPath ?? ''] ??
          value,
      ]),
    ),
    KUBECONFIG: recorded.kubeconfig,
    CONNECT_TO: ['prometheus:9090', 'loki:3100']
      .map(
        (pair) => `${pair.replace(':', `.${places.watched}.svc.cluster.local:`)}:127.0.0.1:${backend.port}`,
      )
      .join(),
    PROBE: 'direct',
  });
  const target = env('').CONFIGMAP_NAMESPACE;
  const path = `/api/v1/namespaces/${target}/configmaps/kubernaut-toolset-config`;
  const read = (): Promise<ConfigMap> => admin.get<ConfigMap>(path);
  return {
    cluster,
    places,
    namespace,
    all,
    recorded,
    /** A token of the account that Prometheus has. */
    prometheusToken: await cluster.token(prometheus),
    path,
    read,
    /** Starts a Pod of the Deployment, and waits until it is ready. */
    async start(pod: string): Promise<Replica> {
      await controlled('Pod', set, pod, { spec: template.spec });
      const serve = startServe(
        {
          ...env(pod),
          API_ADDRESS: '127.0.0.1:0',
          METRICS_ADDRESS: '127.0.0.1:0',
          HEALTH_ADDRESS: '127.0.0.1:0',
        },
        container?.args.slice(1) ?? [],
      );
      const address = async (text: string) => `http://127.0.0.1:${(await serve.logged(text)).port}`;
      const [api, metrics] = [await address('the API is served'), await address('metrics are served')];
      const health = await address('probes are served');
      await waitUntil(`${pod} is ready`, async () => {
        const answer = await fetch(`${health}/ready`);
        if (!answer.ok) throw new Error(`${await answer.text()} ${JSON.stringify(serve.lines)}`);
        return true;
      });
      return { serve, api, metrics };
    },
    /** Waits until the tool is published. */
    published: (name = 'prometheus') =>
      waitUntil(`${name} is published`, async () => {
        const live = await read();
        return toolNames(live).some((tool) => tool.startsWith(`${name}.${places.watched}`)) && live;
      }),
    /** What `diff` says, as the same account. */
    diff: () => command(env('laptop'), 'diff'),
  };
}

export type Released = Awaited<ReturnType<typeof release>>;
