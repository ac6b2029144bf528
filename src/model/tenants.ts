import * as z from 'zod';
import { backendKey } from './backend-key.ts';

/** Maximum tenants of one backend. Each of them becomes an entry of its own in an agent's file. */
const MAX_TENANTS = 20;

/**
 * The id of a tenant, or several joined by `|`, as a value of the header. It is not secret.
 * @see https://grafana.com/docs/mimir/latest/configure/about-tenant-ids/
 */
const tenantId = z.union([z.string(), z.number().int().transform(String)]).pipe(
  z
    .string()
    .max(1_000)
    .regex(
      /^[A-Za-z0-9!_.*'()|-]+$/,
      "is not the id of a tenant: letters, digits, and the characters !-_.*'(), with | between several",
    ),
);

const tenantIds = z
  .array(tenantId)
  .min(1)
  .max(MAX_TENANTS)
  .refine((ids) => new Set(ids).size === ids.length, 'names a tenant twice');

/** The tenants with which an agent asks backends: by type, by `namespace/*`, or by `namespace/service`. */
export const tenantsByBackend = z.record(backendKey, z.union([tenantId.transform((id) => [id]), tenantIds]));

/** Ids of tenants by the key that addresses their backends. */
export type Tenants = Readonly<Record<string, readonly string[]>>;

/** How a request to a backend names its tenant. `ids` are the tenants that such a backend always has. */
export type Tenancy =
  | { readonly header: string }
  | { /** The base path, with `{tenant}`. */ readonly path: string; readonly ids: readonly string[] };

/** Where a base path has the id of the tenant. */
export const TENANT = '{tenant}';

/** The base path for one tenant. */
export const tenantPath = (path: string, id: string): string =>
  path.replaceAll(TENANT, () => encodeURIComponent(id));
