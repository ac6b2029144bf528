import { createHash } from 'node:crypto';
import { beyondBytes, byPrecedence, namespaceOf } from './budget.ts';
import type { Tool } from './tools.ts';

/** How many bytes of tools the ConfigMaps have room for. */
export interface ShardRoom {
  /** The first ConfigMap, which may have other documents too. */
  readonly first: number;
  /** Each of the others. */
  readonly each: number;
  /** Most ConfigMaps. */
  readonly most: number;
}

/** Tools by the ConfigMap that they are in, and those that none has room for. */
export interface Division {
  readonly shards: readonly (readonly Tool[])[];
  readonly beyond: ReadonlySet<Tool>;
}

type Sizes = ReadonlyMap<Tool, number>;

/** Where a shard may end, as a part of its room. The rest is slack. */
const FULL_ENOUGH = 7 / 8;

const bytesOf = (tools: Iterable<Tool>, sizes: Sizes): number =>
  Array.from(tools).reduce((sum, tool) => sum + (sizes.get(tool) ?? 0), 0);

/**
 * How many tools of a sequence go into a shard. A full shard ends before the tool with the least hash of those before which
 * it may end. So one tool more or less nearly always leaves the end where it is, and the shards after it as they are.
 */
function endOf(tools: readonly Tool[], sizes: Sizes, room: number): number {
  let used = 0;
  let end = 0;
  let least: string | undefined;
  for (const [index, tool] of tools.entries()) {
    if (used > room * FULL_ENOUGH || (index > 0 && used + (sizes.get(tool) ?? 0) > room)) {
      const hash = createHash('sha256').update(tool.key).digest('hex');
      if (least === undefined || hash < least) {
        least = hash;
        end = index;
      }
    }
    used += sizes.get(tool) ?? 0;
    if (used > room) return end;
  }
  return tools.length;
}

/** Tools in the order in which namespaces get their next one: whoever has the fewest bytes so far is next. */
function inTurns(ranked: readonly Tool[], sizes: Sizes): Tool[] {
  const totals = new Map<string, number>();
  const turns = ranked.map((tool) => {
    if (tool.pinned) return { tool, upTo: 0 };
    const namespace = namespaceOf(tool);
    const upTo = (totals.get(namespace) ?? 0) + (sizes.get(tool) ?? 0);
    totals.set(namespace, upTo);
    return { tool, upTo };
  });
  return turns.sort((a, b) => a.upTo - b.upTo).map(({ tool }) => tool);
}

/** @param ranked the most important first */
function shardsOf(ranked: readonly Tool[], sizes: Sizes, { first, each }: ShardRoom): Tool[][] {
  const turns = inTurns(ranked, sizes);
  const shards = [turns.slice(0, endOf(turns, sizes, first))];
  const placed = new Set(shards[0]);
  let rest = ranked.filter((tool) => !placed.has(tool));
  while (rest.length > 0) {
    const end = Math.max(1, endOf(rest, sizes, each));
    shards.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return shards;
}

/**
 * Divides tools among ConfigMaps. Pure, and the same for the same tools, whatever is published.
 *
 * The first ConfigMap has the tools of people and each namespace's fair share of the older ones, so a reader that knows no
 * other one misses what ranks lowest. The others have the rest by rank: the age of the Service, then its name.
 *
 * Tools that no ConfigMap has room for are left out by precedence, from the namespaces that use the most bytes. Tools of
 * people are never left out: if they alone are too many, the last ConfigMap is too large.
 * @param ordered in order of precedence, which decides what is left out
 */
export function divide(ordered: readonly Tool[], sizes: Sizes, room: ShardRoom): Division {
  const tenants = ordered.filter(({ pinned }) => !pinned).length;
  let budget = bytesOf(ordered, sizes);
  let beyond: ReadonlySet<Tool> = new Set();
  for (;;) {
    const kept = ordered.filter((tool) => !beyond.has(tool));
    const people = kept.filter(({ pinned }) => pinned);
    const others = kept.filter(({ pinned }) => !pinned);
    const none: ReadonlySet<never> = new Set();
    const ranked = [...byPrecedence(people, none), ...byPrecedence(others, none)];
    const shards = shardsOf(ranked, sizes, room);
    const rest = shards.slice(room.most).flat();
    if (rest.length === 0) return { shards, beyond };
    if (beyond.size === tenants)
      return { shards: [...shards.slice(0, room.most - 1), shards.slice(room.most - 1).flat()], beyond };
    budget = Math.min(budget, bytesOf(kept, sizes)) - bytesOf(rest, sizes);
    beyond = beyondBytes(ordered, sizes, budget);
  }
}
