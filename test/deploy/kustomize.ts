import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import { objects, type Rendered, type Values } from './chart.ts';

/** The folder with the base, the components and the overlays. */
export const KUSTOMIZE = join(import.meta.dirname, '../../deploy/kustomize');

/** The values of the chart that each component, and the overlay with only this component, stands for. */
export const COMPONENTS: Readonly<Record<string, Values>> = {
  'all-namespaces': { settings: { namespaces: ['*'] } },
  holmesgpt: {
    settings: {
      holmesgptDeployment: 'holmesgpt/holmes-holmes',
      holmesgptConfigMap: true,
      holmesgptReload: 'restart',
    },
    holmesgpt: { configMapName: 'custom-toolsets-configmap' },
  },
  monitoring: {
    monitoring: {
      serviceMonitor: { enabled: true },
      prometheusRule: { enabled: true },
      dashboard: { enabled: true },
    },
  },
};

const NAMESPACE: Rendered = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'kubernaut-system' },
};

const BASE_FILES: Readonly<Record<string, RegExp>> = {
  'namespace.yaml': /^Namespace$/,
  'rbac.yaml': /^(ServiceAccount|(Cluster)?Role(Binding)?)$/,
  'configmap.yaml': /^ConfigMap$/,
  'deployment.yaml': /^(Deployment|PodDisruptionBudget)$/,
  'service.yaml': /^Service$/,
  'networkpolicy.yaml': /^NetworkPolicy$/,
};

const HEAD = '# Written by `npm run manifests` from the Helm chart.\n';

/** What names an object. */
export const identity = ({ kind, metadata: { namespace = '', name } }: Rendered): string =>
  `${kind} ${namespace}/${name}`;

/** Takes labels away that speak of Helm, at whatever depth. */
function withoutHelm<T>(value: T): T {
  if (Array.isArray(value)) return value.map(withoutHelm) as T;
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key]) => key !== 'helm.sh/chart' && key !== 'app.kubernetes.io/managed-by',
  );
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutHelm(inner)])) as T;
}

/** What base or an overlay shall come to: what the chart renders, without Helm, and the namespace. */
export async function wanted(values: Values = {}): Promise<readonly Rendered[]> {
  return [NAMESPACE, ...(await objects(values)).map(withoutHelm)];
}

interface Operation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path: string;
  readonly value?: unknown;
}

/** How one value becomes another, as a JSON patch (RFC 6902); lists are replaced as a whole. */
function* operations(from: unknown, to: unknown, path = ''): Generator<Operation> {
  const isMapping = (value: unknown): value is Values =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isDeepStrictEqual(from, to)) return;
  if (!isMapping(from) || !isMapping(to)) {
    yield { op: 'replace', path, value: to };
    return;
  }
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const inner = `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (!(key in from)) yield { op: 'add', path: inner, value: to[key] };
    else if (!(key in to)) yield { op: 'remove', path: inner };
    else yield* operations(from[key], to[key], inner);
  }
}

const yaml = (value: unknown): string => stringify(value, { lineWidth: 0 });
const documents = (all: readonly Rendered[]): string => HEAD + all.map(yaml).join('---\n');

/** A component: what differs from the base. Components can be combined, because they patch different fields. */
function component(base: readonly Rendered[], all: readonly Rendered[]): Record<string, string> {
  const added = all.filter((object) => !base.some((other) => identity(other) === identity(object)));
  const patches = base.flatMap((object) => {
    const { apiVersion, kind, metadata } = object;
    const { name, namespace } = metadata;
    const target = { kind, name, ...(namespace === undefined ? {} : { namespace }) };
    const other = all.find((each) => identity(each) === identity(object));
    if (other === undefined)
      return [{ target, patch: yaml({ $patch: 'delete', apiVersion, kind, metadata: { name } }) }];
    const changes = [...operations(object, other)];
    return changes.length === 0 ? [] : [{ target, patch: yaml(changes) }];
  });
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    ...(added.length === 0 ? {} : { resources: ['added.yaml'] }),
    ...(patches.length === 0 ? {} : { patches }),
  };
  return {
    'kustomization.yaml': HEAD + yaml(kustomization),
    ...(added.length === 0 ? {} : { 'added.yaml': documents(added) }),
  };
}

/** All files below `deploy/kustomize`, by their paths. */
export async function kustomizeFiles(): Promise<Readonly<Record<string, string>>> {
  const base = await wanted();
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: Object.keys(BASE_FILES),
  };
  const files: Record<string, string> = { 'base/kustomization.yaml': HEAD + yaml(kustomization) };
  for (const [name, kinds] of Object.entries(BASE_FILES))
    files[`base/${name}`] = documents(base.filter(({ kind }) => kinds.test(kind)));
  for (const [name, values] of Object.entries(COMPONENTS)) {
    for (const [file, text] of Object.entries(component(base, await wanted(values))))
      files[`components/${name}/${file}`] = text;
    files[`overlays/${name}/kustomization.yaml`] =
      HEAD +
      yaml({
        apiVersion: 'kustomize.config.k8s.io/v1beta1',
        kind: 'Kustomization',
        resources: ['../../base'],
        components: [`../../components/${name}`],
      });
  }
  return files;
}
