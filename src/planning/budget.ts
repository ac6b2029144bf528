import { compareText } from '../model/compare.ts';
import type { Problem } from '../model/discovery.ts';
import type { Cut, LimitName } from '../model/documents.ts';
import { beyondShare } from '../model/fair-share.ts';
import { displayNamespace } from '../model/key.ts';
import type { ServiceKey } from '../model/service.ts';
import type { Tool } from './tools.ts';

/** How much of tenants' is published. What people added or changed is never cut. */
export interface Limits {
  /** Most tools of one namespace. */
  readonly maxToolsPerNamespace: number;
  /** Most KiB of all documents of one ConfigMap together. */
  readonly maxDocumentKib: number;
  /** Most ConfigMaps that documents are divided among, where their format allows it; 1: they are not. */
  readonly maxShards: number;
  /** Most bytes of descriptions that owners of Services wrote, in all and of one namespace. */
  readonly maxDescriptionBytes: number;
  readonly maxDescriptionBytesPerNamespace: number;
  /** Most tools that an agent offers to its model. */
  readonly maxAgentTools: number;
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

/** How many are named where many are cut. */
const NAMED = 3;

/** The namespace of a tool, as `displayNamespace` writes it. */
export const namespaceOf = ({ cluster, namespace = '' }: Tool): string =>
  displayNamespace({ cluster, namespace });

/** Tools in the order in which they stay: those that are published, then those of older Services, then by name. */
export function byPrecedence(tools: readonly Tool[], published: ReadonlySet<ServiceKey>): Tool[] {
  const isOld = ({ members }: Tool): number => (members.some((key) => published.has(key)) ? 0 : 1);
  const ranked = tools.map((tool) => ({ tool, old: isOld(tool), created: tool.created ?? '~' }));
  return ranked
    .sort((a, b) => a.old - b.old || compareText(a.created, b.created) || compareText(a.tool.key, b.tool.key))
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

const NOT_PUBLISHED = 'found, and not published';

/** What becomes of tools beyond a limit. An output says it of a limit of its own. */
const EFFECT: Readonly<Partial<Record<LimitName, string>>> = {
  description_bytes: "published with the detector's description in place of their owners'",
};

/**
 * What one limit took, by namespace: a line each, and what explain says of each tool.
 * @param why what the namespace has too much of, as the rest of a sentence about it
 * @param effect what becomes of the tools, as the end of "3 tools are …"
 */
export function told(
  limit: LimitName,
  cut: readonly Tool[],
  why: (namespace: string) => string,
  effect: string = EFFECT[limit] ?? NOT_PUBLISHED,
): { readonly cuts: readonly Cut[]; readonly notes: readonly Problem[] } {
  const notes: Problem[] = [];
  const cuts: Cut[] = [];
  for (const [namespace, all] of Map.groupBy(cut, namespaceOf)) {
    const reason = why(namespace);
    const named = all.slice(0, NAMED).map(({ key }) => key);
    cuts.push(
      ...all.map(({ key }) => ({
        limit,
        key,
        why: `namespace ${namespace} ${reason}; raise ${SETTING[limit]}`,
      })),
    );
    notes.push({
      where: `namespace ${namespace}`,
      what: `${reason}: ${all.length} tool${all.length === 1 ? ' is' : 's are'} ${effect} (${named.join(', ')}${all.length > NAMED ? ', …' : ''}); those published before and the older Services stay`,
      fix: `raise ${SETTING[limit]}, or keep Services out`,
    });
  }
  return { cuts, notes };
}

/** What limits leave of tools, and what they took. */
export interface Limited {
  readonly tools: readonly Tool[];
  readonly cuts: readonly Cut[];
  readonly notes: readonly Problem[];
}

/** At most so many tools of one namespace, and so many bytes of tenants' texts. @param tools in order of precedence */
export function withinCounts(ordered: readonly Tool[], limits: Limits): Limited {
  const { maxToolsPerNamespace: most, maxDescriptionBytes, maxDescriptionBytesPerNamespace } = limits;
  const tenants = ordered.filter(({ pinned }) => !pinned);
  const numbers = new Map(
    [...Map.groupBy(tenants, namespaceOf)].map(([namespace, all]) => [namespace, all.length]),
  );
  const gone = new Set(
    beyondShare(tenants, {
      group: namespaceOf,
      size: () => 1,
      total: Number.POSITIVE_INFINITY,
      each: most,
    }),
  );
  const kept = ordered.filter((tool) => !gone.has(tool));
  const silenced = new Set(
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
  const number = told(
    'namespace_tools',
    [...gone],
    (namespace) => `has ${numbers.get(namespace)} tools, and the limit is ${most}`,
  );
  const text = told(
    'description_bytes',
    [...silenced],
    () =>
      `has more bytes of owners' descriptions than its share (at most ${maxDescriptionBytesPerNamespace}, and ${maxDescriptionBytes} of all namespaces)`,
  );
  return {
    tools: kept.map((tool) =>
      silenced.has(tool) ? { ...tool, description: tool.kind, tenantDescription: false } : tool,
    ),
    cuts: [...number.cuts, ...text.cuts],
    notes: [...number.notes, ...text.notes],
  };
}

/** Tools that do not fit into so many bytes. @param ordered in order of precedence */
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
