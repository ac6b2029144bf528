import { endpointUrl, type Problem } from '../../../model/discovery.ts';
import { partsOf } from '../../../model/key.ts';
import { isMapping, type Mapping, mappingOf } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import { sameBackend } from '../../../model/same-url.ts';
import { toolKey } from '../../../model/service.ts';
import { isHome } from '../../../planning/credentials.ts';
import { meantService } from '../../../planning/meant-service.ts';
import type { Naming } from '../../../planning/preferred.ts';
import type { Tool } from '../../../planning/tools.ts';
import { own } from '../contract/models.ts';
import { addressesOf, carriesCredentials } from '../contract/shape.ts';
import type { HolmesPatch } from '../overrides.ts';
import { entryOf } from './mapping.ts';

/** The options for single backends of a toolset from overrides, by the key that addresses them. */
function backendsOf(patch: HolmesPatch, toolset: string): Mapping {
  const entry = own(patch.toolsets ?? {}, toolset);
  const backends = isMapping(entry) ? own(entry, 'backends') : undefined;
  return mappingOf(backends);
}

/** Keys that address a tool, least specific first. More specific keys win. */
function keysOf(tool: Tool): string[] {
  if (!isHome(tool)) return [];
  const { key } = tool;
  const slash = key.indexOf('/');
  return ['*', ...(slash < 0 ? [] : [`${key.slice(0, slash)}/*`]), key];
}

/** The fields from overrides for a backend of a toolset; `undefined` if there are none. */
export function fieldsFor(patch: HolmesPatch, toolset: string, tool: Tool): Mapping | undefined {
  const backends = backendsOf(patch, toolset);
  const fields = keysOf(tool).flatMap((key) => own(backends, key) ?? []);
  return fields.length === 0 ? undefined : (fields.reduce(mergePatch, {}) as Mapping);
}

/** How precisely overrides name a backend under `backends` of a toolset. `*` names none. */
export function namedIn(patch: HolmesPatch, toolset: string, tool: Tool): Naming {
  const backends = backendsOf(patch, toolset);
  if (!isHome(tool)) return undefined;
  if (Object.hasOwn(backends, tool.key)) return 'service';
  const slash = tool.key.indexOf('/');
  return slash >= 0 && Object.hasOwn(backends, `${tool.key.slice(0, slash)}/*`) ? 'namespace' : undefined;
}

/** Whether a user's own configuration of a toolset, or one of its instances, has the address of a tool. */
export function listsBackend(patch: HolmesPatch, toolset: string, tool: Tool): boolean {
  const entry = own(patch.toolsets ?? {}, toolset);
  const config = isMapping(entry) ? own(entry, 'config') : undefined;
  if (!isMapping(config)) return false;
  const url = endpointUrl(tool.endpoint);
  return [config, ...Object.values(config).flat().filter(isMapping)].some((backend) =>
    addressesOf(backend).some((address) => sameBackend(address, url)),
  );
}

export const hasCredentials = (fields: Mapping): boolean =>
  Object.entries(fields).some(([field, value]) => carriesCredentials(field, value));

/** A patch without the options for single backends. */
export function withoutBackends(patch: HolmesPatch): HolmesPatch {
  if (patch.toolsets === undefined) return patch;
  const toolsets = Object.entries(patch.toolsets).flatMap(([name, entry]): [string, typeof entry][] => {
    if (!isMapping(entry) || !Object.hasOwn(entry, 'backends')) return [[name, entry]];
    const { backends: _, ...rest } = entry;
    return Object.keys(rest).length === 0 ? [] : [[name, rest]];
  });
  return { ...patch, toolsets: Object.fromEntries(toolsets) };
}

/**
 * The problem with a key that addresses no backend of a toolset.
 * @param known all backends that could be in the toolset, also those that are left out: one of these may be meant, and
 *   another one must not get what is for it
 */
function unmatchedKey(
  key: string,
  tools: readonly Tool[],
  known: readonly Tool[],
): Pick<Problem, 'what' | 'fix'> {
  const backend = tools.find(({ members }) => members.some((member) => toolKey(partsOf(member)) === key));
  if (backend !== undefined)
    return {
      what: `backends ${key} has no effect now: the entry point of its backend is ${backend.key}, another Service`,
      fix: `write ${backend.key}, if you trust that Service with it`,
    };
  const keys = known.flatMap(keysOf).filter((each) => each !== '*');
  if (keys.includes(key)) return { what: `backends ${key} has no effect while that backend is left out` };
  const services = known.flatMap(({ members }) => members.map((member) => toolKey(partsOf(member))));
  const meant = meantService(key, [...new Set([...keys, ...services])]);
  return {
    what: `backends ${key} is not among the backends of this toolset, so it has no effect`,
    ...(meant === undefined ? {} : { fix: `did you mean ${meant}?` }),
  };
}

/** Whether a backend could be in a toolset. */
function fits(tool: Tool, toolset: string): boolean {
  const holmes = entryOf(tool);
  return 'toolsets' in holmes
    ? holmes.toolsets.includes(toolset)
    : 'http' in holmes && tool.detector === toolset;
}

/**
 * A problem for each key in overrides that addresses no backend.
 * @param toolsOf the backends in each toolset
 * @param all all backends, also those that are left out
 */
export function unmatched(
  patch: HolmesPatch,
  toolsOf: ReadonlyMap<string, readonly { readonly tool: Tool }[]>,
  all: () => readonly Tool[],
): Problem[] {
  return Object.keys(patch.toolsets ?? {}).flatMap((toolset) => {
    const tools = (toolsOf.get(toolset) ?? []).map(({ tool }) => tool);
    const placed = new Set(tools.flatMap(keysOf));
    const idle = Object.keys(backendsOf(patch, toolset)).filter((key) => key !== '*' && !placed.has(key));
    const known = idle.length === 0 ? [] : all().filter((tool) => fits(tool, toolset));
    return idle.map((key) => ({
      where: `overrides.yaml, holmesgpt.toolsets ${toolset}`,
      ...unmatchedKey(key, tools, known),
    }));
  });
}
