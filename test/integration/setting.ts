import { setTimeout as sleep } from 'node:timers/promises';
import { testCluster, waitUntil } from '../cluster/cluster.ts';
import type { StoredObject } from '../cluster/rest.ts';
import type { ServiceAccountSpec } from '../cluster/service-account.ts';
import { PUBLISHING, SHARDS } from './rights.ts';

/** Default name of the ConfigMap. */
export const CONFIG_MAP = 'kubernaut-toolset-config';

/** The ConfigMap as the API server gives it back. */
export interface ConfigMap {
  readonly metadata: {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Record<string, string>;
    readonly annotations: Record<string, string>;
    readonly managedFields: readonly {
      readonly manager: string;
      readonly operation: string;
      readonly fieldsV1: { readonly 'f:data'?: Readonly<Record<string, unknown>> };
    }[];
  };
  readonly data: Record<string, string>;
  readonly binaryData?: Record<string, string>;
}

/** A ControllerRevision as the API server gives it back. */
export interface StoredRevision {
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly revision: number;
  readonly data: Record<string, string>;
}

interface SettingOptions {
  /** The addresses of the backends behind the Services; none by default. */
  readonly backendPort?: number;
  /** Whether it may store revisions; true by default. */
  readonly history?: boolean;
  /** Whether it may divide `toolset.json` among several ConfigMaps; false by default. */
  readonly shards?: boolean;
  /** What else it may do, in the whole cluster. */
  readonly clusterRules?: ServiceAccountSpec['clusterRules'];
}

/** Namespaces, an account with the least rights that `serve` needs, and the environment that starts it. */
export async function setting(options: SettingOptions = {}) {
  const cluster = testCluster();
  const watched = await cluster.namespace('watched');
  const target = await cluster.namespace('target');
  const account = await cluster.serviceAccount({
    namespace: target,
    ...(options.clusterRules === undefined ? {} : { clusterRules: options.clusterRules }),
    rulesIn: {
      [watched]: [{ apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] }],
      [target]: [
        ...PUBLISHING.filter(({ apiGroups }) => options.history !== false || apiGroups[0] !== 'apps'),
        ...(options.shards === true ? SHARDS : []),
      ],
    },
  });
  const kubeconfig = await cluster.kubeconfig(account);
  const path = `/api/v1/namespaces/${target}/configmaps/${CONFIG_MAP}`;
  const host = (name: string, port: number): string => `${name}.${watched}.svc.cluster.local:${port}`;
  const connectTo = ['prometheus:9090', 'loki:3100', 'down:9200'].map((pair) => {
    const [name = '', port = ''] = pair.split(':');
    return `${host(name, Number(port))}:127.0.0.1:${name === 'down' ? 1 : (options.backendPort ?? 1)}`;
  });
  const service = (name: string, app: string, port: number, portName: string): Promise<StoredObject> =>
    cluster.service(watched, {
      name,
      labels: { 'app.kubernetes.io/name': app },
      ports: [{ port, name: portName }],
    });
  const read = async (): Promise<ConfigMap> => (await cluster.admin.get(path)) as unknown as ConfigMap;
  return {
    cluster,
    account,
    watched,
    target,
    path,
    kubeconfig,
    env: {
      KUBECONFIG: kubeconfig,
      NAMESPACES: watched,
      CONFIGMAP_NAMESPACE: target,
      DISCOVERY_INTERVAL: '1s',
      PROBE: 'direct',
      CONNECT_TO: connectTo.join(','),
    },
    read,
    /** Waits until the ConfigMap no longer changes. @returns its final state */
    still: (milliseconds = 500): Promise<ConfigMap> =>
      waitUntil(
        'nobody writes the ConfigMap any more',
        async () => {
          const before = await read();
          await sleep(milliseconds);
          return (await read()).metadata.resourceVersion === before.metadata.resourceVersion && before;
        },
        { limitMs: 30_000, everyMs: 0 },
      ),
    prometheus: () => service('prometheus', 'prometheus', 9090, 'web'),
    loki: () => service('loki', 'loki', 3100, 'http-metrics'),
    removeService: (name: string) => cluster.admin.delete(`/api/v1/namespaces/${watched}/services/${name}`),
    /** Writes the key as most programs do that know nothing of server-side apply. */
    writeOverrides: (text: string | null) =>
      cluster.admin.patch<ConfigMap>(path, { data: { 'overrides.yaml': text } }),
    /** What is kept of it, oldest first. */
    revisions: async (): Promise<readonly StoredRevision[]> => {
      const { items } = await cluster.admin.get<{ readonly items: StoredRevision[] }>(
        `/apis/apps/v1/namespaces/${target}/controllerrevisions`,
      );
      return items.sort((a, b) => a.revision - b.revision);
    },
  };
}

export type Setting = Awaited<ReturnType<typeof setting>>;

/** Nothing is asked of backends, and only what changes leads to a pass: what happens soon is no full pass. */
export const SELDOM = { PROBE: 'none', DISCOVERY_INTERVAL: '5m' };

/** Names of the tools that are published. */
export const toolNames = ({ data }: Pick<ConfigMap, 'data'>): string[] =>
  (JSON.parse(data['toolset.json'] ?? '{}') as { tools: { name: string }[] }).tools.map(({ name }) => name);

/** The field manager under which overrides are brought back; none of its fields may be left. */
export const RESTORER = 'dynamic-toolset-restore';
