import type { Problem } from '../model/discovery.ts';
import { nearest } from '../model/nearest.ts';
import { meantService } from './meant-service.ts';
import type { ToolKind } from './tools.ts';

/** Maximum keys to compare with all known keys for suggestions. */
const MAX_COMPARISONS = 20;

/** What keys by type, `NAMESPACE/*` and `NAMESPACE/SERVICE` may refer to. */
interface KnownKeys {
  /** The keys of all known backends. */
  readonly keys: readonly string[];
  readonly kinds: ReadonlyMap<string, ToolKind>;
}

/**
 * Explains why keys of a setting address no backend now, and what to do. Only the first few are compared with all known keys.
 * Pure.
 */
export function idleKeyExplainer({ keys, kinds }: KnownKeys): (key: string) => Omit<Problem, 'where'> {
  let compared = 0;
  return (key) => {
    compared += 1;
    const isType = !key.includes('/');
    if (isType && kinds.size > 0 && !kinds.has(key)) {
      const meant = nearest(key, [...kinds.keys()]);
      return {
        what: 'applies to nothing: there is no detector of this type',
        fix:
          meant === undefined ? 'write a type, NAMESPACE/SERVICE or NAMESPACE/*' : `did you mean ${meant}?`,
      };
    }
    const otherwise = 'it counts as soon as one is found';
    const meant = isType || compared > MAX_COMPARISONS ? undefined : meantService(key, keys);
    return {
      what: 'applies to nothing: no such backend is known now',
      fix: meant === undefined ? otherwise : `did you mean ${meant}? Otherwise ${otherwise}`,
    };
  };
}
