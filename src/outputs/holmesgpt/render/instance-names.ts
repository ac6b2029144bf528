import type { Problem } from '../../../model/discovery.ts';
import { quoted } from '../../../model/text.ts';

/** The names that a backend may have in the list of its toolset. */
export interface NameClaim {
  /** The name of its tool. */
  readonly tool: string;
  /** The name that an operator wrote for it. */
  readonly written?: string | undefined;
}

/**
 * Gives each backend of a toolset its own name, ignoring case. HolmesGPT rejects a toolset with two backends of one name, so
 * a tenant who takes the name of another backend would remove all of them. A name that an operator wrote goes to the first
 * backend that has it; then each of the others gets the name of its tool, and a number if another backend has that name.
 * @param claims in the order of their claim to names
 * @param taken names of other backends
 */
export function distinctNames(claims: readonly NameClaim[], taken: Iterable<string> = []): string[] {
  const used = new Set([...taken].map((name) => name.toLowerCase()));
  const names = new Map<NameClaim, string>();
  const give = (claim: NameClaim, name: string): boolean => {
    if (used.has(name.toLowerCase())) return false;
    used.add(name.toLowerCase());
    names.set(claim, name);
    return true;
  };
  const withoutName = (): NameClaim[] => claims.filter((claim) => !names.has(claim));
  for (const claim of claims) if (claim.written !== undefined) give(claim, claim.written);
  for (const claim of withoutName()) give(claim, claim.tool);
  for (const claim of withoutName()) for (let count = 2; !give(claim, `${claim.tool}-${count}`); count++);
  return claims.map((claim) => names.get(claim) ?? claim.tool);
}

/** A backend with the names that it may have. */
export interface NamedBackend extends NameClaim {
  /** For messages: `NAMESPACE/SERVICE`, or the name of a user's own tool. */
  readonly key: string;
}

/** Maximum number of backends in one message. */
const FEW = 3;

/**
 * The backends of a toolset that lose a name to one that overrides give that name, one problem per name.
 * @param names from `distinctNames`
 */
export function renamed(
  toolset: string,
  backends: readonly NamedBackend[],
  names: readonly string[],
): Problem[] {
  const written = new Map(
    backends.flatMap(({ key, written }, index) =>
      written !== undefined && names[index] === written ? [[written.toLowerCase(), { key, written }]] : [],
    ),
  );
  const losers = Map.groupBy(
    backends.flatMap(({ key, tool, written }, index) => {
      const wanted = written ?? tool;
      return names[index] === wanted
        ? []
        : [{ key, wanted: wanted.toLowerCase(), called: names[index] ?? tool }];
    }),
    ({ wanted }) => wanted,
  );
  return [...losers].flatMap(([wanted, several]): Problem[] => {
    const winner = written.get(wanted);
    if (winner === undefined) return [];
    const few = several.slice(0, FEW).map(({ key, called }) => `${key} is called ${quoted(called, 64)}`);
    const more = several.length > FEW ? [`and ${several.length - FEW} more keep their own`] : [];
    return [
      {
        where: `overrides.yaml, holmesgpt.toolsets ${toolset}`,
        what: `backends gives the name ${quoted(winner.written, 64)} to ${winner.key}, so ${[...few, ...more].join(', ')}`,
        fix: 'give each backend a name of its own',
      },
    ];
  });
}
