import { type Holder, type Naming, namesOf, publishedNames } from '../detect/names.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { type Documents, OVERRIDES_KEY } from '../model/documents.ts';
import { NO_OVERRIDES, type Overrides, reservedNames } from '../model/overrides.ts';
import type { Published } from '../model/published.ts';
import { publishedDocuments } from '../reconcile/content-hash.ts';
import { readOverrides } from '../reconcile/overrides.ts';

/**
 * What decides who has which name. What is published comes first, since a name must survive a restart; a backend that is
 * not published now, because it is unhealthy, keeps the name that it has here.
 */
export function namingOf(
  published: Documents | undefined,
  overrides: Overrides,
  found: readonly DiscoveredService[],
): Naming {
  const held = new Map<string, Holder>(publishedNames(published?.['toolset.json']));
  for (const [name, holder] of namesOf(found)) if (!held.has(name)) held.set(name, holder);
  return { held, reserved: reservedNames(overrides) };
}

/** The same, by what another process has published. */
export function observedNaming(live: Published | undefined, found: readonly DiscoveredService[]): Naming {
  const read = readOverrides(live?.data[OVERRIDES_KEY]);
  return namingOf(publishedDocuments(live), 'value' in read ? read.value : NO_OVERRIDES, found);
}
