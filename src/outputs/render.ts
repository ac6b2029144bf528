import { countOf, isOrAre } from '../model/count-of.ts';
import {
  type Documents,
  documentsWithout,
  type LimitName,
  type Scope,
  shardName,
} from '../model/documents.ts';
import { runAtOnce, type Steps } from '../model/yield-every.ts';
import { beyondBytes, reportLimit } from '../planning/budget.ts';
import { divide } from '../planning/division.ts';
import type { Tool } from '../planning/tools.ts';
import type { Output, Rendered, RenderOptions } from './output.ts';

/** The documents for the tools that fit. */
export interface RenderedTools extends Required<Omit<Rendered, 'artifacts'>> {
  readonly documents: Documents;
  readonly tools: readonly Tool[];
}

/** Maximum number of renderings to make documents fit. The first estimate is nearly always right. */
const ROUNDS = 4;

const KIB = 1024;
/** Reserved bytes in each ConfigMap for everything around the tools of a document. */
const AROUND = KIB;
/** The space for indivisible documents changes in steps of this many bytes, so that the division rarely changes. */
const STEP = 64 * KIB;

const sizeOf = (documents: Documents): number =>
  Object.values(documents).reduce((sum, text) => sum + Buffer.byteLength(text), 0);

function* sizesOf<S>(outputs: readonly Output<S>[], tools: readonly Tool[]): Steps<Map<Tool, number>> {
  const sizes = new Map<Tool, number>();
  for (const tool of tools) {
    sizes.set(
      tool,
      outputs.reduce((sum, output) => sum + output.sizeOf(tool), 0),
    );
    yield;
  }
  return sizes;
}

const total = (sizes: ReadonlyMap<Tool, number>): number =>
  [...sizes.values()].reduce((sum, size) => sum + size, 0);

const namesOf = (outputs: readonly Pick<Output, 'documents'>[]): readonly string[] =>
  outputs.flatMap(({ documents }) => documents.map(({ name }) => name));

const joined = (names: readonly string[]): string => names.join(' and ');

/** Adds the documents of these outputs to the items that they leave out. */
const leftOutOf = <T extends Scope>(
  outputs: readonly Pick<Output, 'documents'>[],
  items: readonly T[],
): T[] => items.map((item) => ({ ...item, leftOutOf: joined(namesOf(outputs)) }));

/** Adds the documents of the other outputs, which still contain the items. */
function keptIn<T extends Scope>(outputs: readonly Pick<Output, 'documents'>[], items: readonly T[]): T[] {
  const names = namesOf(outputs);
  return items.map((item) => {
    if (item.leftOutOf === undefined) return item;
    const without = documentsWithout([item]);
    const others = names.filter((name) => !without.includes(name));
    return others.length === 0 ? item : { ...item, keptIn: joined(others) };
  });
}

/** @param shard the ConfigMap that the documents are for */
function* render<S>(
  outputs: readonly Output<S>[],
  tools: readonly Tool[],
  options: RenderOptions & S,
  shard = 1,
): Steps<RenderedTools> {
  const all: Rendered[] = [];
  for (const output of outputs) {
    const rendered = output.render(tools, options);
    all.push('next' in rendered ? yield* rendered : rendered);
    yield;
  }
  const artifacts = all.flatMap((rendered) => rendered.artifacts);
  return {
    documents: Object.fromEntries(artifacts.map(({ name, content }) => [shardName(name, shard), content])),
    tools,
    omissions: all.flatMap(({ omissions = [] }, index) =>
      leftOutOf(outputs.slice(index, index + 1), omissions),
    ),
    cuts: all.flatMap(({ cuts = [] }, index) => leftOutOf(outputs.slice(index, index + 1), cuts)),
    notes: all.flatMap(({ notes = [] }) => notes),
    limitNotes: all.flatMap(({ limitNotes = [] }) => limitNotes),
  };
}

/** Documents of several renderings together. @param tools that are in any of them */
const together = (all: readonly RenderedTools[], tools: readonly Tool[]): RenderedTools => ({
  documents: Object.assign({}, ...all.map(({ documents }) => documents)) as Documents,
  tools,
  omissions: all.flatMap(({ omissions }) => omissions),
  cuts: all.flatMap(({ cuts }) => cuts),
  notes: all.flatMap(({ notes }) => notes),
  limitNotes: all.flatMap(({ limitNotes }) => limitNotes),
});

/** The same, with what a limit left out of it. */
function without(
  rendered: RenderedTools,
  limit: LimitName,
  gone: readonly Tool[],
  said: Said,
): RenderedTools {
  const { cuts, notes } = reportLimit(limit, gone, () => said.why, { effect: said.effect });
  return {
    ...rendered,
    cuts: [...(said.of === undefined ? cuts : leftOutOf(said.of, cuts)), ...rendered.cuts],
    limitNotes: [...rendered.limitNotes, ...notes],
  };
}

/** What hand-written tools use of a number of KiB, in parentheses; empty if that is little. No limit removes these. */
function usedByHand<S>(outputs: readonly Output<S>[], ordered: readonly Tool[], kib: number): string {
  const pinned = ordered.filter(({ pinned }) => pinned);
  const used = Math.round(total(runAtOnce(sizesOf(outputs, pinned))) / KIB);
  return used * 8 < kib ? '' : ` (hand-written tools use ${used} of them)`;
}

/** The documents for the tools that fit, and the tools that do not. */
interface Trimmed extends RenderedTools {
  readonly gone: ReadonlySet<Tool>;
}

interface Said {
  readonly why: string;
  readonly effect?: string;
  /** The outputs that leave it out; absent: all. */
  readonly of?: readonly Pick<Output, 'documents'>[];
}

/**
 * Renders as many tools as fit into a number of bytes. If they do not, the namespaces that take the most bytes lose tools.
 * @param ordered in order of precedence
 */
function* trimmed<S>(
  outputs: readonly Output<S>[],
  ordered: readonly Tool[],
  options: RenderOptions & S,
  most: number,
): Steps<Trimmed> {
  const sizes = yield* sizesOf(outputs, ordered);
  const tenants = ordered.filter(({ pinned }) => !pinned).length;
  let room = most;
  for (let round = 1; ; round++) {
    const gone = beyondBytes(ordered, sizes, room);
    const kept = ordered.filter((tool) => !gone.has(tool));
    const rendered = yield* render(outputs, kept, options);
    const over = sizeOf(rendered.documents) - most;
    if (over <= 0 || round === ROUNDS || gone.size === tenants) return { ...rendered, gone };
    const guessed = kept.reduce((sum, tool) => sum + (sizes.get(tool) ?? 0), 0);
    room = Math.min(room, guessed) - over - KIB;
  }
}

/**
 * Divides the documents that can be divided among several ConfigMaps, if all of them do not fit into one. The others are in
 * the first one, and have at most half of it.
 */
function* divided<S>(
  outputs: readonly Output<S>[],
  ordered: readonly Tool[],
  options: RenderOptions & S,
): Steps<RenderedTools> {
  const { maxDocumentKib, maxShards, maxAgentBytes } = options.limits;
  const most = maxDocumentKib * KIB;
  const half = Math.min(most / 2, maxAgentBytes ?? most);
  const whole = outputs.filter(({ division }) => division === undefined);
  const parts = outputs.filter(({ division }) => division !== undefined);
  const sizes = yield* sizesOf(parts, ordered);
  const all: Trimmed = { ...(yield* render(whole, ordered, options)), gone: new Set() };
  const used = sizeOf(all.documents);
  // Documents that certainly do not fit are not rendered.
  if (used + total(sizes) <= most + AROUND && used <= (maxAgentBytes ?? used)) {
    const both = together([yield* render(parts, ordered, options), all], ordered);
    if (sizeOf(both.documents) <= most) return both;
  }
  const fitted = (tools: readonly Tool[], room: number): Steps<Trimmed> =>
    trimmed(whole, tools, options, room);
  let rest = used <= half ? all : yield* fitted(ordered, half);
  const first = most - Math.min(most / 2, Math.ceil(sizeOf(rest.documents) / STEP) * STEP);
  const room = { first: first - AROUND, each: most - AROUND, most: maxShards };
  const { shards, beyond } = divide(ordered, sizes, room);
  const kept = ordered.filter((tool) => !beyond.has(tool));
  if (beyond.size > 0) {
    const some = yield* render(whole, kept, options);
    const least = Math.min(most - first, half);
    rest = sizeOf(some.documents) <= least ? { ...some, gone: new Set() } : yield* fitted(kept, least);
  }
  const rendered: RenderedTools[] = [];
  for (const [index, tools] of shards.entries())
    rendered.push(yield* render(parts, tools, options, index + 1));
  const undivided = namesOf(whole);
  const names = joined(undivided);
  const limited = without(
    together([...rendered, rest], kept),
    'agent_bytes',
    kept.filter((tool) => rest.gone.has(tool)),
    {
      why:
        maxAgentBytes === undefined
          ? `has tools that need more than its share of the ${(most - first) / KIB} KiB of ${names}`
          : `has tools that need more than its share of the ${Math.floor(half / KIB)} KiB that the agent's ConfigMap has for ${names}, beside what people wrote there, which is stored twice`,
      effect: `left out of ${names}, which ${isOrAre(undivided.length)} not divided`,
      of: whole,
    },
  );
  return without(limited, 'document_bytes', [...beyond], {
    why: `has tools that need more than its share of ${countOf(maxShards, 'ConfigMap')} of ${maxDocumentKib} KiB${usedByHand(parts, ordered, maxShards * maxDocumentKib)}`,
  });
}

/**
 * Renders the documents of all outputs together, in steps. If they do not fit into one ConfigMap, those that can be divided are, and
 * of the others the namespaces that take the most bytes lose tools.
 * @param ordered in order of precedence
 */
export function* renderWithin<S>(
  outputs: readonly Output<S>[],
  ordered: readonly Tool[],
  options: RenderOptions & S,
): Steps<RenderedTools> {
  const rendered = yield* renderedWithin(outputs, ordered, options);
  return {
    ...rendered,
    cuts: keptIn(outputs, rendered.cuts),
    omissions: keptIn(outputs, rendered.omissions),
  };
}

function* renderedWithin<S>(
  outputs: readonly Output<S>[],
  ordered: readonly Tool[],
  options: RenderOptions & S,
): Steps<RenderedTools> {
  const { maxDocumentKib, maxShards, maxAgentBytes } = options.limits;
  if (
    (maxShards > 1 || maxAgentBytes !== undefined) &&
    outputs.some(({ division }) => division !== undefined)
  )
    return yield* divided(outputs, ordered, options);
  const { gone, ...rendered } = yield* trimmed(outputs, ordered, options, maxDocumentKib * KIB);
  return without(rendered, 'document_bytes', [...gone], {
    why: `has tools that need more than its share of the ${maxDocumentKib} KiB of the documents${usedByHand(outputs, ordered, maxDocumentKib)}`,
  });
}
