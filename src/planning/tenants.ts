import { HOME_CLUSTER, partsOf } from '../model/key.ts';
import { toolKey } from '../model/service.ts';
import { type Tenants, tenantPath } from '../model/tenants.ts';
import type { Tool } from './tools.ts';

/** Metadata of a tool: the header that names a tenant in each request. */
export const TENANT_HEADER = 'tenantHeader';
/** Metadata of a tool: its base path, with `{tenant}`. */
export const TENANT_PATH = 'tenantPath';
/** Metadata of a tool: the ids of its tenants, separated by commas. */
export const TENANT_IDS = 'tenants';

/** The keys that address a tool in the setting `tenants`, the most specific first. They name no cluster. */
export function tenantKeysOf({ cluster, key, members, detector }: Tool): readonly string[] {
  const slash = key.indexOf('/');
  if (cluster !== HOME_CLUSTER || slash < 0) return [detector];
  const services = [key, ...members.map((member) => toolKey(partsOf(member)))];
  return [...new Set(services), `${key.slice(0, slash)}/*`, detector];
}

/** The tenants that people configured for a tool. */
function configured(tool: Tool, tenants: Tenants): readonly string[] | undefined {
  const key = tenantKeysOf(tool).find((each) => Object.hasOwn(tenants, each));
  return key === undefined ? undefined : tenants[key];
}

/** A tool whose base path contains the tenant, unless it proved to have another base path. */
function withTenantInPath(
  tool: Tool,
  path: string,
  usual: readonly string[],
  given: readonly string[] = usual,
): Tool {
  const { endpoint, metadata } = tool;
  if (!usual.some((id) => endpoint.path === tenantPath(path, id))) return tool;
  const [first = ''] = given;
  return {
    ...tool,
    endpoint: { ...endpoint, path: tenantPath(path, first) },
    metadata: { ...metadata, [TENANT_PATH]: path, [TENANT_IDS]: given.join(',') },
    tenants: given,
  };
}

/**
 * Tools with the tenants that people configured for them, or that such a backend always has. Their metadata names what a
 * request needs.
 */
export function withTenants(tools: readonly Tool[], tenants: Tenants): readonly Tool[] {
  return tools.map((tool) => {
    const { tenancy, metadata } = tool;
    if (tenancy === undefined) return tool;
    const given = configured(tool, tenants);
    if ('path' in tenancy) return withTenantInPath(tool, tenancy.path, tenancy.ids, given);
    if (given === undefined && tool.verdict.tenantRequired !== true) return tool;
    return {
      ...tool,
      metadata: {
        ...metadata,
        [TENANT_HEADER]: tenancy.header,
        ...(given === undefined ? {} : { [TENANT_IDS]: given.join(',') }),
      },
      ...(given === undefined ? {} : { tenants: given }),
    };
  });
}

/** A backend as one of its tenants sees it. */
export interface TenantView {
  /** The tool with the base path for the tenant. */
  readonly tool: Tool;
  /** The tenant's id. Absent if the backend has no tenants, or none is configured. */
  readonly id?: string;
  /** The headers of each request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One view for each tenant of a tool; a single one without tenants. */
export function tenantViews(tool: Tool): readonly TenantView[] {
  const { tenancy, tenants = [], endpoint } = tool;
  if (tenancy === undefined || tenants.length === 0) return [{ tool, headers: {} }];
  return tenants.map((id) =>
    'path' in tenancy
      ? { tool: { ...tool, endpoint: { ...endpoint, path: tenantPath(tenancy.path, id) } }, id, headers: {} }
      : { tool, id, headers: { [tenancy.header]: id } },
  );
}
