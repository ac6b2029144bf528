import type { Problem } from '../model/discovery.ts';
import { shown } from '../model/visible.ts';
import { ALLOW_REMOVAL } from '../planning/plan.ts';

/** The note about an annotation that was meant to release held tools, and does not: its value is wrong. */
export function ignoredRelease(
  annotations: Readonly<Record<string, string>>,
  target: string,
): Problem | undefined {
  const value = annotations[ALLOW_REMOVAL];
  if (value === undefined || value === 'true') return undefined;
  return {
    where: target,
    what: `its annotation ${ALLOW_REMOVAL} has no effect, because its value is ${shown(value)}`,
    fix: 'to remove what is gone now, set it to "true"; otherwise, remove it',
  };
}
