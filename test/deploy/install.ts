import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Rest } from '../cluster/rest.ts';
import { waitUntil } from '../cluster/wait.ts';
import type { Rendered } from './chart.ts';

interface ResourceList {
  readonly resources: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
  }[];
}

const lists = new Map<string, Promise<ResourceList>>();

/** Path of the collection that an object belongs to, as the API server tells it. */
export async function collectionOf(admin: Rest, object: Rendered): Promise<string> {
  const { apiVersion, kind } = object;
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const list = lists.get(root) ?? admin.get<ResourceList>(root);
  lists.set(root, list);
  const resource = (await list).resources.find((each) => each.kind === kind && !each.name.includes('/'));
  if (resource === undefined) throw new Error(`the API server knows no ${kind} in ${apiVersion}`);
  const { namespace } = object.metadata;
  if (resource.namespaced !== (namespace !== undefined))
    throw new Error(
      `${kind} ${object.metadata.name} ${namespace === undefined ? 'has no' : 'has a'} namespace`,
    );
  return namespace === undefined
    ? `${root}/${resource.name}`
    : `${root}/namespaces/${namespace}/${resource.name}`;
}

/**
 * Applies an object as `kubectl apply --server-side --validate=strict` does.
 * @throws with what the API server says; also where it does not know a field
 */
export async function install(admin: Rest, object: Rendered): Promise<void> {
  const path = `${await collectionOf(admin, object)}/${object.metadata.name}`;
  const { status, body } = await admin.request(
    'PATCH',
    `${path}?fieldManager=helm&fieldValidation=Strict`,
    object,
    'application/apply-patch+yaml',
  );
  if (status > 299) throw new Error(`${object.kind} ${object.metadata.name}: ${JSON.stringify(body)}`);
}

const KINDS = join(import.meta.dirname, '../fixtures/monitoring-crds');

/** Makes the kinds of the Prometheus Operator known to the API server. */
export async function installMonitoringKinds(admin: Rest): Promise<void> {
  for (const file of readdirSync(KINDS))
    await install(admin, parse(readFileSync(join(KINDS, file), 'utf8')) as Rendered);
  await waitUntil('the kinds of the Prometheus Operator are there', async () => {
    const { resources } = await admin.get<ResourceList>('/apis/monitoring.coreos.com/v1');
    return resources.length >= 2;
  });
}
