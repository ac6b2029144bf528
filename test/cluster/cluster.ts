/** What integration tests use of the test cluster: one import for all of it. */
import { inject } from 'vitest';
import type { ClusterConnection } from './connection.ts';
import { type Rest, restClient, type StoredObject } from './rest.ts';
import {
  createServiceAccount,
  mintToken,
  restAs,
  type ServiceAccount,
  type ServiceAccountSpec,
  writeKubeconfig,
} from './service-account.ts';
import { createService, type ServiceSpec } from './services.ts';

export { ApiError, restClient } from './rest.ts';
export { waitUntil } from './wait.ts';

/**
 * The test cluster: an API server and its store, with no controllers. No Pod runs, and a namespace that is
 * deleted stays in `Terminating`: give each test a namespace of its own and leave it.
 */
export interface Cluster {
  readonly connection: ClusterConnection;
  /** Its API as the administrator. */
  readonly admin: Rest;
  /** Creates a namespace with a unique name, which it gives. */
  namespace(prefix?: string, labels?: Readonly<Record<string, string>>): Promise<string>;
  /** Creates a Service from a short description. */
  service(namespace: string, service: ServiceSpec): Promise<StoredObject>;
  /** Creates a ServiceAccount with roles and bindings, and waits until they count. */
  serviceAccount(spec: ServiceAccountSpec): Promise<ServiceAccount>;
  /** Mints a token for it; valid for an hour by default (600 s at least). */
  token(account: ServiceAccount, validSeconds?: number): Promise<string>;
  /** Its API as the ServiceAccount, with a fresh token. */
  as(account: ServiceAccount): Promise<Rest>;
  /** Writes a kubeconfig file (0600) with a fresh token of it, and gives its path. */
  kubeconfig(account: ServiceAccount): Promise<string>;
}

/** The cluster that `global-setup.ts` started for this run, unless a connection to another one is given. */
export function testCluster(connection: ClusterConnection = inject('cluster')): Cluster {
  const admin = restClient(connection.server, connection.caPem, connection);
  return {
    connection,
    admin,
    async namespace(prefix = 'test', labels = {}) {
      const created = await admin.create('/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { generateName: `${prefix}-`, labels },
      });
      return created.metadata.name;
    },
    service: (namespace, service) => createService(admin, namespace, service),
    serviceAccount: (spec) => createServiceAccount(admin, spec),
    token: (account, validSeconds) => mintToken(admin, account, validSeconds),
    as: (account) => restAs(connection, admin, account),
    kubeconfig: (account) => writeKubeconfig(connection, admin, account),
  };
}
