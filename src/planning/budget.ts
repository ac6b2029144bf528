import { compareText } from '../model/compare.ts';
import { countOf, isOrAre } from '../model/count-of.ts';
import type { Problem } from '../model/discovery.ts';
import type { Cut, LimitName } from '../model/documents.ts';
import { beyondShare } from '../model/fair-share.ts';
import { displayNamespace } from '../model/key.ts';
import { bySeniority, type InUseSince, seniorityOf } from '../model/seniority.ts';
import type { Tool } from './tools.ts';

/** Limits on what is published of tenants. Tools that users added or changed are never removed. */
export interface Limits {
  /** Maximum tools per namespace. */
  readonly maxToolsPerNamespace: number;
  /** Maximum KiB of all documents in one ConfigMap. */
  readonly maxDocumentKib: number;
  /** Maximum ConfigMaps to divide documents among, if their format allows it. 1: do not divide them. */
  readonly maxShards: number;
  /** Maximum bytes of owners' descriptions, in total and per namespace. */
  readonly maxDescriptionBytes: number;
  readonly maxDescriptionBytesPerNamespace: number;
  /** Maximum tools that an agent offers to its model. */
  readonly maxAgentTools: number;
  /** Maximum bytes of the documents that are not divided, if an agent has no more room for them. */
  readonly maxAgentBytes?: number | undefined;
}

export const LIMITS: Limits = {
  maxToolsPerNamespace: 100,
  maxDocumentKib: 900,
  // A caller that cannot publish several ConfigMaps, such as the library's, gets whole documents.
  maxShards: 1,
  maxDescriptionBytes: 16_384,
  maxDescriptionBytesPerNamespace: 4_096,
  maxAgentTools: 128,
};

/** Maximum tools that a note names. */
const MAX_NAMES = 3;

/** The namespace of a tool, as `displayNamespace` writes it. */
export const namespaceOf = ({ cluster, namespace = '' }: Tool): string =>
  displayNamespace({ cluster, namespace });

/**
 * Sorts tools by precedence: those that came into use earlier, then those of older Services, then by name. If a Service was
 * created again, the age of the one before it counts.
 */
export function byPrecedence(tools: readonly Tool[], inUseSince: InUseSince): Tool[] {
  const ranked = tools.map((tool) => {
    const since = seniorityOf(tool.members, inUseSince);
    return { tool, since, created: since.created ?? tool.created ?? '~' };
  });
  return ranked
    .sort(
      (a, b) =>
        bySeniority(a.since, b.since) ||
        compareText(a.created, b.created) ||
        compareText(a.tool.key, b.tool.key),
    )
    .map(({ tool }) => tool);
}

const SETTING: Readonly<Record<LimitName, string>> = {
  namespace_tools: 'MAX_TOOLS_PER_NAMESPACE (--max-tools-per-namespace)',
  description_bytes:
    'MAX_DESCRIPTION_BYTES_PER_NAMESPACE or MAX_DESCRIPTION_BYTES (--max-description-bytes-per-namespace, --max-description-bytes)',
  document_bytes: 'MAX_DOCUMENT_KIB or MAX_SHARDS (--max-document-kib, --max-shards)',
  agent_tools: 'MAX_AGENT_TOOLS (--max-agent-tools)',
  agent_bytes: 'MAX_DOCUMENT_KIB (--max-document-kib)',
};

/** What a limit does, and what helps. */
interface LimitWords {
  /** What happens to the backends, as the end of "3 backends …"; by default, they are not published. */
  readonly effect?: string | undefined;
  /** What else than the setting helps; by default, an annotation of Services. */
  readonly fix?: string;
  /** Whether a higher limit helps; by default, it does. */
  readonly helps?: boolean;
}

const OPT_OUT = 'keep Services out with the annotation kubernaut.io/toolset: "false"';

/** The effect of each limit on tools. An output passes the effect of its own limits. */
const EFFECT: Readonly<Partial<Record<LimitName, LimitWords>>> = {
  description_bytes: {
    effect: "published with the detector's description instead of their owners'",
    fix: 'shorten descriptions',
  },
};

/**
 * Reports what one limit removed: a note per namespace, and a cut per tool for `explain`.
 * @param why what the namespace exceeds, as the rest of a sentence
 */
export function reportLimit(
  limit: LimitName,
  cut: readonly Tool[],
  why: (namespace: string) => string,
  words: LimitWords = EFFECT[limit] ?? {},
): { readonly cuts: readonly Cut[]; readonly notes: readonly Problem[] } {
  const { effect, fix = OPT_OUT, helps = true } = words;
  const raise = `raise ${SETTING[limit]}`;
  const notes: Problem[] = [];
  const cuts: Cut[] = [];
  for (const [namespace, all] of Map.groupBy(cut, namespaceOf)) {
    const reason = why(namespace);
    const named = all.slice(0, MAX_NAMES).map(({ key }) => key);
    cuts.push(
      ...all.map(({ key }) => ({
        limit,
        key,
        why: `namespace ${namespace} ${reason}; ${helps ? raise : fix}`,
      })),
    );
    const happens =
      effect === undefined
        ? `${all.length === 1 ? 'was' : 'were'} found, but ${isOrAre(all.length)} not published`
        : `${isOrAre(all.length)} ${effect}`;
    notes.push({
      where: `namespace ${namespace}`,
      what: `${reason}: ${countOf(all.length, 'backend')} ${happens} (${named.join(', ')}${all.length > MAX_NAMES ? ', …' : ''}); those that came into use first stay`,
      fix: helps ? `${raise}, or ${fix}` : fix,
    });
  }
  return { cuts, notes };
}

/** The tools within limits, and what was removed. */
export interface Limited {
  readonly tools: readonly Tool[];
  readonly cuts: readonly Cut[];
  readonly notes: readonly Problem[];
}

/** Applies the limits on tools per namespace and on owners' descriptions. @param ordered in order of precedence */
export function withinCounts(ordered: readonly Tool[], limits: Limits): Limited {
  const { maxToolsPerNamespace: most, maxDescriptionBytes, maxDescriptionBytesPerNamespace } = limits;
  const tenants = ordered.filter(({ pinned }) => !pinned);
  const numbers = new Map(
    [...Map.groupBy(tenants, namespaceOf)].map(([namespace, all]) => [namespace, all.length]),
  );
  const removed = new Set(
    beyondShare(tenants, {
      group: namespaceOf,
      size: () => 1,
      total: Number.POSITIVE_INFINITY,
      each: most,
    }),
  );
  const kept = ordered.filter((tool) => !removed.has(tool));
  const withoutDescription = new Set(
    beyondShare(
      kept.filter(({ tenantDescription }) => tenantDescription),
      {
        group: namespaceOf,
        size: ({ description }) => Buffer.byteLength(description),
        total: maxDescriptionBytes,
        each: maxDescriptionBytesPerNamespace,
      },
    ),
  );
  const number = reportLimit(
    'namespace_tools',
    [...removed],
    (namespace) => `has ${countOf(numbers.get(namespace) ?? 0, 'tool')}, and the limit is ${most}`,
  );
  const text = reportLimit(
    'description_bytes',
    [...withoutDescription],
    () =>
      `has more bytes of owners' descriptions than its share (at most ${maxDescriptionBytesPerNamespace}, and ${maxDescriptionBytes} of all namespaces)`,
  );
  return {
    tools: kept.map((tool) =>
      withoutDescription.has(tool) ? { ...tool, description: tool.kind, tenantDescription: false } : tool,
    ),
    cuts: [...number.cuts, ...text.cuts],
    notes: [...number.notes, ...text.notes],
  };
}

/** The tools that do not fit into `most` bytes. @param ordered in order of precedence */
export function beyondBytes(
  ordered: readonly Tool[],
  sizes: ReadonlyMap<Tool, number>,
  most: number,
): Set<Tool> {
  const sizeOf = (tool: Tool): number => sizes.get(tool) ?? 0;
  const pinned = ordered.filter((tool) => tool.pinned).reduce((sum, tool) => sum + sizeOf(tool), 0);
  const tenants = ordered.filter((tool) => !tool.pinned);
  return new Set(beyondShare(tenants, { group: namespaceOf, size: sizeOf, total: most - pinned }));
}
