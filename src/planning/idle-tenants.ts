import type { DiscoveredService, Problem } from '../model/discovery.ts';
import type { Tenants } from '../model/tenants.ts';
import { idleKeyExplainer } from './idle-keys.ts';
import { tenantKeysOf } from './tenants.ts';
import { discoveredTool, type Tool, type ToolKind } from './tools.ts';

/**
 * Reports keys of the setting `tenants` that apply to no backend. Pure.
 * @param tools the tools that may be published
 */
export function idleTenants(
  tenants: Tenants,
  tools: readonly Tool[],
  {
    found,
    kinds,
  }: { readonly found: readonly DiscoveredService[]; readonly kinds: ReadonlyMap<string, ToolKind> },
): readonly Problem[] {
  const given = Object.keys(tenants);
  if (given.length === 0) return [];
  const all = [...tools, ...found.map(discoveredTool)];
  const known = new Set(all.flatMap(tenantKeysOf));
  const useful = new Set(all.filter(({ tenancy }) => tenancy !== undefined).flatMap(tenantKeysOf));
  const whyIdle = idleKeyExplainer({ keys: [...known], kinds });
  return given.flatMap((key): Problem[] => {
    const where = `tenants ${key}`;
    if (useful.has(key)) return [];
    if (known.has(key) || (kinds.has(key) && kinds.get(key)?.tenancy === undefined))
      return [{ where, what: 'applies to nothing: such backends have no tenants', fix: 'remove it' }];
    return [{ where, ...whyIdle(key) }];
  });
}
