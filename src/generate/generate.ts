import type { DiscoveredService } from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import { type HolmesOptions, holmesDocument, NEWEST } from './holmes.ts';
import { toolsetJson } from './toolset-json.ts';

export type GenerateOptions = HolmesOptions;

const byTool = (a: DiscoveredService, b: DiscoveredService): number =>
  a.tool < b.tool ? -1 : a.tool > b.tool ? 1 : 0;

/**
 * The documents for what was found; a service that is known to be unhealthy is left out. Pure: the same services in
 * any order give the same bytes.
 * @throws Error if a document does not fulfil its own schema, which is a bug and never the input's fault
 */
export function generate(found: readonly DiscoveredService[], options: GenerateOptions = NEWEST): Generated {
  const usable = found.filter(({ verdict }) => verdict.health !== 'unhealthy').sort(byTool);
  const holmes = holmesDocument(usable, options);
  return {
    documents: { 'toolset.json': toolsetJson(usable), 'custom_toolset.yaml': holmes.text },
    tools: usable.length,
    notes: holmes.notes,
  };
}
