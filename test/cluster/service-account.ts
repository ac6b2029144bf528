import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ClusterConnection } from './connection.ts';
import { type Rest, restClient } from './rest.ts';
import { waitUntil } from './wait.ts';

/** One rule of RBAC, as in Kubernetes' `v1.PolicyRule`. */
interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

export interface ServiceAccountSpec {
  /** Where it lives; the namespace must exist. */
  readonly namespace: string;
  /** A unique name unless given. */
  readonly name?: string;
  /** What it may do by a Role in a namespace, by the name of that namespace. */
  readonly rulesIn?: Readonly<Record<string, readonly PolicyRule[]>>;
  /** What it may do everywhere, by a ClusterRole. */
  readonly clusterRules?: readonly PolicyRule[];
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
  /** What the API server calls it: `system:serviceaccount:<namespace>:<name>`. */
  readonly user: string;
}

/**
 * Creates a ServiceAccount with the roles and bindings for its rules, and waits until the API server's authorizer
 * acts on them (it learns of a new binding a moment later).
 */
export async function createServiceAccount(admin: Rest, spec: ServiceAccountSpec): Promise<ServiceAccount> {
  const { namespace } = spec;
  const name = spec.name ?? `sa-${randomUUID().slice(0, 8)}`;
  const account: ServiceAccount = { namespace, name, user: `system:serviceaccount:${namespace}:${name}` };
  await admin.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name },
  });
  const roleName = `${namespace}-${name}`;
  for (const [where, rules] of Object.entries(spec.rulesIn ?? {})) {
    await bind(admin, account, roleName, rules, where);
  }
  if (spec.clusterRules !== undefined) await bind(admin, account, roleName, spec.clusterRules, undefined);
  return account;
}

/** Mints a token with the TokenRequest API, valid for the time given (the API server's least is 600 s). */
export async function mintToken(admin: Rest, account: ServiceAccount, validSeconds = 3600): Promise<string> {
  const path = `/api/v1/namespaces/${account.namespace}/serviceaccounts/${account.name}/token`;
  const reply = await admin.create<{ readonly status: { readonly token: string } }>(path, {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: { expirationSeconds: validSeconds },
  });
  return reply.status.token;
}

/** The test cluster's API, as a ServiceAccount sees it. */
export async function restAs(
  connection: ClusterConnection,
  admin: Rest,
  account: ServiceAccount,
): Promise<Rest> {
  return restClient(connection.server, connection.caPem, { token: await mintToken(admin, account) });
}

/**
 * Writes a kubeconfig file (mode 0600) with a fresh token of the ServiceAccount, its own namespace as the default
 * one, and gives its path. The file goes with the cluster's temporary folder.
 */
export async function writeKubeconfig(
  connection: ClusterConnection,
  admin: Rest,
  account: ServiceAccount,
): Promise<string> {
  const token = await mintToken(admin, account);
  const path = join(
    connection.folder,
    `${account.namespace}-${account.name}-${randomUUID().slice(0, 8)}.yaml`,
  );
  const caData = Buffer.from(connection.caPem).toString('base64');
  const content = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'test', cluster: { server: connection.server, 'certificate-authority-data': caData } },
    ],
    users: [{ name: account.name, user: { token } }],
    contexts: [
      { name: 'test', context: { cluster: 'test', user: account.name, namespace: account.namespace } },
    ],
    'current-context': 'test',
  };
  await writeFile(path, stringify(content), { mode: 0o600, flag: 'wx' });
  return path;
}

const RBAC = 'rbac.authorization.k8s.io';

async function bind(
  admin: Rest,
  account: ServiceAccount,
  roleName: string,
  rules: readonly PolicyRule[],
  where: string | undefined,
): Promise<void> {
  const prefix = where === undefined ? 'Cluster' : '';
  const root = `/apis/${RBAC}/v1/${where === undefined ? '' : `namespaces/${where}/`}`;
  const metadata = { name: roleName };
  await admin.create(`${root}${prefix.toLowerCase()}roles`, {
    apiVersion: `${RBAC}/v1`,
    kind: `${prefix}Role`,
    metadata,
    rules,
  });
  await admin.create(`${root}${prefix.toLowerCase()}rolebindings`, {
    apiVersion: `${RBAC}/v1`,
    kind: `${prefix}RoleBinding`,
    metadata,
    roleRef: { apiGroup: RBAC, kind: `${prefix}Role`, name: roleName },
    subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
  });
  for (const rule of rules) await untilAllowed(admin, account, rule, where);
}

async function untilAllowed(
  admin: Rest,
  account: ServiceAccount,
  rule: PolicyRule,
  where: string | undefined,
): Promise<void> {
  const [resource, subresource] = (rule.resources?.[0] ?? '').split('/', 2);
  const verb = rule.verbs[0];
  const asked =
    rule.nonResourceURLs === undefined
      ? {
          resourceAttributes: {
            verb,
            group: rule.apiGroups?.[0] ?? '',
            resource,
            ...(subresource === undefined ? {} : { subresource }),
            ...(rule.resourceNames === undefined ? {} : { name: rule.resourceNames[0] }),
            ...(where === undefined ? {} : { namespace: where }),
          },
        }
      : { nonResourceAttributes: { verb, path: rule.nonResourceURLs[0] } };
  await waitUntil(
    `${account.user} may ${verb} ${rule.resources?.[0] ?? rule.nonResourceURLs?.[0]}`,
    async () => {
      const review = await admin.create<{ readonly status: { readonly allowed: boolean } }>(
        '/apis/authorization.k8s.io/v1/subjectaccessreviews',
        {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          metadata: {},
          spec: { user: account.user, ...asked },
        },
      );
      return review.status.allowed;
    },
  );
}
