import { createHash } from 'node:crypto';
import { beyondBytes, byPrecedence, namespaceOf } from './budget.ts';
import type { Tool } from './tools.ts';

/** The bytes available for tools in each ConfigMap. */
export interface ShardRoom {
  /** In the first ConfigMap, which may have other documents too. */
  readonly first: number;
  /** In each other ConfigMap. */
  readonly each: number;
  /** Maximum ConfigMaps. */
  readonly most: number;
}

/** Tools by ConfigMap, and the tools that do not fit. */
export interface Division {
  readonly shards: readonly (readonly Tool[])[];
  readonly beyond: ReadonlySet<Tool>;
}

type SizeOf = (tool: Tool) => number;

/** The share of a shard's room after which it may end. The rest is slack. */
const FULL_ENOUGH = 7 / 8;

const bytesOf = (tools: readonly Tool[], sizeOf: SizeOf): number =>
  tools.reduce((sum, tool) => sum + sizeOf(tool), 0);

/**
 * The number of tools in the next shard. A full shard ends at the possible end whose next tool has the lowest hash
 * (content-defined chunking). So adding or removing one tool rarely moves the end, or changes the shards after it.
 */
function endOf(tools: readonly Tool[], sizeOf: SizeOf, room: number): number {
  let used = 0;
  let end = 0;
  let least: string | undefined;
  for (const [index, tool] of tools.entries()) {
    const next = used + sizeOf(tool);
    if (used > room * FULL_ENOUGH || next > room) {
      const hash = createHash('sha256').update(tool.key).digest('hex');
      if (least === undefined || hash < least) {
        least = hash;
        end = index;
      }
    }
    if (next > room) return end;
    used = next;
  }
  return tools.length;
}

/** Sorts tools so that namespaces take turns: the namespace with the fewest bytes so far is next. */
function inTurns(ranked: readonly Tool[], sizeOf: SizeOf): Tool[] {
  const totals = new Map<string, number>();
  const turns = ranked.map((tool) => {
    if (tool.pinned) return { tool, upTo: 0 };
    const namespace = namespaceOf(tool);
    const upTo = (totals.get(namespace) ?? 0) + sizeOf(tool);
    totals.set(namespace, upTo);
    return { tool, upTo };
  });
  return turns.sort((a, b) => a.upTo - b.upTo).map(({ tool }) => tool);
}

/** @param ranked most important tools first */
function shardsOf(ranked: readonly Tool[], sizeOf: SizeOf, { first, each }: ShardRoom): Tool[][] {
  const turns = inTurns(ranked, sizeOf);
  const shards = [turns.slice(0, endOf(turns, sizeOf, first))];
  const placed = new Set(shards[0]);
  let rest = ranked.filter((tool) => !placed.has(tool));
  while (rest.length > 0) {
    const end = Math.max(1, endOf(rest, sizeOf, each));
    shards.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return shards;
}

/**
 * Divides tools among ConfigMaps. Pure, and independent of what is published.
 *
 * The first ConfigMap has the users' own tools and each namespace's fair share of the older ones, so a reader that knows
 * only this one misses the lowest ranks. The others have the rest by rank: by age of the Service, then by name.
 *
 * Tools that do not fit are left out by precedence, from the namespaces that use the most bytes. Users' own tools are never
 * left out: if they alone are too many, the last ConfigMap is too large.
 * @param ordered in order of precedence, which decides what is left out
 */
export function divide(
  ordered: readonly Tool[],
  sizes: ReadonlyMap<Tool, number>,
  room: ShardRoom,
): Division {
  const sizeOf: SizeOf = (tool) => sizes.get(tool) ?? 0;
  const tenants = ordered.filter(({ pinned }) => !pinned).length;
  let budget = bytesOf(ordered, sizeOf);
  let beyond: ReadonlySet<Tool> = new Set();
  for (;;) {
    const kept = ordered.filter((tool) => !beyond.has(tool));
    const people = kept.filter(({ pinned }) => pinned);
    const others = kept.filter(({ pinned }) => !pinned);
    const none = new Map<never, never>();
    const ranked = [...byPrecedence(people, none), ...byPrecedence(others, none)];
    const shards = shardsOf(ranked, sizeOf, room);
    const rest = shards.slice(room.most).flat();
    if (rest.length === 0) return { shards, beyond };
    if (beyond.size === tenants)
      return { shards: [...shards.slice(0, room.most - 1), shards.slice(room.most - 1).flat()], beyond };
    budget = Math.min(budget, bytesOf(kept, sizeOf)) - bytesOf(rest, sizeOf);
    beyond = beyondBytes(ordered, sizes, budget);
  }
}
