import type { Problem } from '../../../model/discovery.ts';
import { type Naming, preferred } from '../../../planning/preferred.ts';
import type { Tool } from '../../../planning/tools.ts';
import type { HolmesToolset } from '../contract/schema.ts';
import type { HolmesOptions } from './document-options.ts';
import type { DocumentReport } from './document-report.ts';
import {
  builtInToolset,
  type Entry,
  httpToolset,
  isUnconfigured,
  single as singleToolset,
  type Toolsets,
} from './entries.ts';
import type { Holders } from './holders.ts';
import type { Placement } from './placement.ts';

/** A toolset of the document with the tools that it is made of. */
export interface Source {
  readonly tools: readonly Tool[];
  readonly toolset: HolmesToolset;
  /** The same without some of the tools, by index and with the reason; `undefined` if none is left. */
  without(faulty: ReadonlyMap<number, string>): Source | undefined;
}

function sourceOf<E extends { readonly tool: Tool }>(
  entries: readonly E[],
  build: (entries: readonly E[]) => HolmesToolset,
  report: DocumentReport,
): Source {
  return {
    tools: entries.map(({ tool }) => tool),
    toolset: build(entries),
    without(faulty) {
      const left = entries.filter((_, index) => !faulty.has(index));
      for (const [index, { tool }] of entries.entries()) {
        const why = faulty.get(index);
        if (why !== undefined) report.leaveOut(tool, `HolmesGPT would reject it: ${why}`);
      }
      return left.length === 0 ? undefined : sourceOf(left, build, report);
    },
  };
}

/** The problem if an agent takes one entry, and the backend has several tenants. */
const oneTenant = (toolset: string, { tool, tenant = '' }: Entry<Toolsets>): Problem => ({
  where: `Service ${tool.key}`,
  what: `only its tenant ${tenant} is in custom_toolset.yaml: HolmesGPT before 0.32 supports only one entry for ${toolset}`,
  fix: 'update HolmesGPT, and raise HOLMESGPT_VERSION',
});

/** Keeps one of the entries for a toolset that can have only one. */
function onlyOne(
  name: string,
  [first, ...others]: readonly Entry<Toolsets>[],
  report: DocumentReport,
): readonly Entry<Toolsets>[] {
  if (first === undefined) return [];
  const why = isUnconfigured(first.holmes)
    ? `${name} is for the one that the agent's environment names`
    : `HolmesGPT before 0.32 supports only one backend for ${name}, and ${first.tool.key} is it`;
  for (const { tool } of others)
    if (tool === first.tool) report.note(oneTenant(name, first));
    else report.leaveOut(tool, why);
  return [first];
}

/**
 * The toolsets of the document, by name, with their backends in order.
 * @param naming how overrides and credentials name the backends of a toolset
 */
export function toolsetSources(
  { byToolset, byHttpType }: Placement,
  { holmesgptVersion, namespaces = [] }: HolmesOptions,
  naming: (toolset: string) => (tool: Tool) => Naming,
  holders: Holders,
  report: DocumentReport,
): Map<string, Source> {
  const sources = new Map<string, Source>();
  for (const [name, found] of byToolset) {
    const several = holmesgptVersion !== '0.20' || found[0]?.holmes.list !== 'instances';
    const isSingle = !several || found.some(({ holmes }) => isUnconfigured(holmes));
    const holds = (tool: Tool): boolean => isSingle && holders.toolset(name, tool);
    const entries = preferred(found, { namespaces, naming: naming(name), holds });
    const build = (kept: readonly Entry<Toolsets>[]): HolmesToolset =>
      isSingle && kept[0] !== undefined ? singleToolset(kept[0]) : builtInToolset(name, kept, report.note);
    sources.set(name, sourceOf(isSingle ? onlyOne(name, entries, report) : entries, build, report));
  }
  for (const [name, entries] of byHttpType) {
    const order = preferred(entries, { namespaces, naming: naming(name) });
    sources.set(name, sourceOf(order, httpToolset, report));
  }
  return sources;
}
