import type { Problem } from '../model/discovery.ts';
import { type Cut, DOCUMENT_KEYS, type Documents, type Omission } from '../model/documents.ts';
import { beyondBytes, type Limits, told } from '../planning/budget.ts';
import type { Tool } from '../planning/tools.ts';
import { beyondAgentTools } from './holmesgpt/agent-tools.ts';
import { holdersIn } from './holmesgpt/holders.ts';
import { type HolmesDocument, type HolmesOptions, holmesDocument } from './holmesgpt/toolsets.ts';
import { sizesOf } from './tool-size.ts';
import { toolsetJson } from './toolset-json/toolset-json.ts';

/** The documents of the tools that fit, and what was left out of them. */
export interface Rendered {
  readonly documents: Documents;
  readonly tools: readonly Tool[];
  readonly cuts: readonly Cut[];
  readonly notes: readonly Problem[];
  /** Tools that are in one document and not in another one. */
  readonly omissions: readonly Omission[];
  /** What limits took, a line for a namespace. */
  readonly limitNotes: readonly Problem[];
}

/** How often documents are made smaller; the first guess is right but for what people add to them. */
const ROUNDS = 4;

const sizeOf = (documents: Documents): number =>
  DOCUMENT_KEYS.reduce((sum, key) => sum + Buffer.byteLength(documents[key]), 0);

const byName = (a: Tool, b: Tool): number => (a.tool < b.tool ? -1 : a.tool > b.tool ? 1 : 0);

/** The documents of tools, without MCP servers that the agent has no room for. */
function render(ordered: readonly Tool[], options: HolmesOptions, most: number): Rendered {
  const tools = ordered.toSorted(byName);
  let holmes = holmesDocument(tools, options);
  const holders = holdersIn(options.publishedFile);
  const people = (): HolmesDocument =>
    holmesDocument(
      tools.filter(({ pinned }) => pinned),
      options,
    );
  const { beyond, fixed, brings } = beyondAgentTools(ordered, holmes, people, most, holders.any);
  const { cuts, notes } = told(
    'agent_tools',
    beyond,
    (namespace) =>
      `${brings(namespace)}, which is more than its share of ${most}, the most that a model takes (${fixed} of them are HolmesGPT's own and people's)`,
  );
  const gone = new Set(beyond);
  if (gone.size > 0)
    holmes = holmesDocument(
      tools.filter((tool) => !gone.has(tool)),
      options,
    );
  const over: Problem[] =
    fixed <= most
      ? []
      : [
          {
            where: 'custom_toolset.yaml',
            what: `gives HolmesGPT ${fixed} tools that no limit removes, and with more than ${most} its model may reject every request`,
            fix: 'switch toolsets or MCP servers off in overrides.yaml, or raise MAX_AGENT_TOOLS if the model supports more',
          },
        ];
  return {
    documents: { 'toolset.json': toolsetJson(tools), 'custom_toolset.yaml': holmes.text },
    tools,
    cuts,
    notes: holmes.notes,
    omissions: holmes.omissions,
    limitNotes: [...notes, ...over],
  };
}

/**
 * The documents of as many tools as fit: where they are too large, the namespaces that take the most bytes lose tools.
 * @param ordered in order of precedence
 */
export function renderWithin(ordered: readonly Tool[], options: HolmesOptions, limits: Limits): Rendered {
  const most = limits.maxDocumentKib * 1024;
  const sizes = sizesOf(ordered);
  const tenants = ordered.filter(({ pinned }) => !pinned).length;
  let room = most;
  for (let round = 1; ; round++) {
    const gone = beyondBytes(ordered, sizes, room);
    const kept = ordered.filter((tool) => !gone.has(tool));
    const rendered = render(kept, options, limits.maxAgentTools);
    const over = sizeOf(rendered.documents) - most;
    if (over <= 0 || round === ROUNDS || gone.size === tenants) {
      const { cuts, notes } = told(
        'document_bytes',
        [...gone],
        () =>
          `has tools that take more than its share of the ${limits.maxDocumentKib} KiB that the documents have room for`,
      );
      return {
        ...rendered,
        cuts: [...cuts, ...rendered.cuts],
        limitNotes: [...rendered.limitNotes, ...notes],
      };
    }
    const guessed = kept.reduce((sum, tool) => sum + (sizes.get(tool) ?? 0), 0);
    room = Math.min(room, guessed) - over - 1024;
  }
}
