import { isDeepStrictEqual } from 'node:util';
import { assignNames, type Naming } from '../detection/names.ts';
import type { DiscoveredService } from '../model/discovery.ts';

/** Whether services have the same names and entry points with another naming. */
export function areNamedAlike(services: readonly DiscoveredService[], before: Naming, now: Naming): boolean {
  if (before === now) return true;
  const { named, placed } = before;
  return (
    isDeepStrictEqual({ named, placed }, { named: now.named, placed: now.placed }) &&
    assignNames(services, now).candidates.every((candidate, index) => candidate === services[index])
  );
}
