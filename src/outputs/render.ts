import type { Cut, Documents } from '../model/documents.ts';
import { beyondBytes, told } from '../planning/budget.ts';
import type { Tool } from '../planning/tools.ts';
import type { Output, Rendered, RenderOptions } from './output.ts';

/** What the outputs made of the tools that fit. */
export interface RenderedTools extends Required<Omit<Rendered, 'artifacts'>> {
  readonly documents: Documents;
  readonly tools: readonly Tool[];
}

/** Most times that documents are rendered again to make them fit. The first estimate is nearly always right. */
const ROUNDS = 4;

const sizeOf = (documents: Documents): number =>
  Object.values(documents).reduce((sum, text) => sum + Buffer.byteLength(text), 0);

function render<S>(
  outputs: readonly Output<S>[],
  tools: readonly Tool[],
  options: RenderOptions & S,
): RenderedTools {
  const all = outputs.map((output) => output.render(tools, options));
  const artifacts = all.flatMap((rendered) => rendered.artifacts);
  return {
    documents: Object.fromEntries(artifacts.map(({ name, content }) => [name, content])),
    tools,
    omissions: all.flatMap(({ omissions = [] }) => omissions),
    cuts: all.flatMap(({ cuts = [] }): readonly Cut[] => cuts),
    notes: all.flatMap(({ notes = [] }) => notes),
    limitNotes: all.flatMap(({ limitNotes = [] }) => limitNotes),
  };
}

/**
 * Renders as many tools as fit into the documents of all outputs together. If they are too large, the namespaces that
 * take the most bytes lose tools.
 * @param ordered in order of precedence
 */
export function renderWithin<S>(
  outputs: readonly Output<S>[],
  ordered: readonly Tool[],
  options: RenderOptions & S,
): RenderedTools {
  const { maxDocumentKib } = options.limits;
  const most = maxDocumentKib * 1024;
  const sizes = new Map(
    ordered.map((tool) => [tool, outputs.reduce((sum, output) => sum + output.sizeOf(tool), 0)]),
  );
  const tenants = ordered.filter(({ pinned }) => !pinned).length;
  let room = most;
  for (let round = 1; ; round++) {
    const gone = beyondBytes(ordered, sizes, room);
    const kept = ordered.filter((tool) => !gone.has(tool));
    const rendered = render(outputs, kept, options);
    const over = sizeOf(rendered.documents) - most;
    if (over <= 0 || round === ROUNDS || gone.size === tenants) {
      const { cuts, notes } = told(
        'document_bytes',
        [...gone],
        () =>
          `has tools that take more than its share of the ${maxDocumentKib} KiB that the documents have room for`,
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
