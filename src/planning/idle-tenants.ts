import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { nearest } from '../model/nearest.ts';
import type { Tenants } from '../model/tenants.ts';
import { meantService } from './meant-service.ts';
import { tenantKeysOf } from './tenants.ts';
import { discoveredTool, type Tool, type ToolKind } from './tools.ts';

/** Maximum keys to compare with all known keys for suggestions. */
const MAX_COMPARISONS = 20;

/** Why a key addresses no backend now, and what to do. */
function whyIdle(
  key: string,
  keys: readonly string[],
  kinds: ReadonlyMap<string, ToolKind>,
  compare: boolean,
): Omit<Problem, 'where'> {
  const isType = !key.includes('/');
  if (isType && kinds.size > 0 && !kinds.has(key)) {
    const meant = nearest(key, [...kinds.keys()]);
    return {
      what: 'applies to nothing: there is no detector of this type',
      fix: meant === undefined ? 'write a type, NAMESPACE/SERVICE or NAMESPACE/*' : `did you mean ${meant}?`,
    };
  }
  const otherwise = 'it counts as soon as one is found';
  const meant = isType || !compare ? undefined : meantService(key, keys);
  return {
    what: 'applies to nothing: no such backend is known now',
    fix: meant === undefined ? otherwise : `did you mean ${meant}? Otherwise ${otherwise}`,
  };
}

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
  let compared = 0;
  return given.flatMap((key): Problem[] => {
    const where = `tenants ${key}`;
    if (useful.has(key)) return [];
    if (known.has(key) || (kinds.has(key) && kinds.get(key)?.tenancy === undefined))
      return [{ where, what: 'applies to nothing: such backends have no tenants', fix: 'remove it' }];
    compared += 1;
    return [{ where, ...whyIdle(key, [...known], kinds, compared <= MAX_COMPARISONS) }];
  });
}
