import { isMapping, type Mapping, mappingOf } from '../../../model/mapping.ts';
import { same } from '../../../model/same.ts';
import { own } from '../contract/models.ts';
import { isAddress, isCommon, type Shape, shapeOf } from '../contract/shape.ts';
import { serverUrl } from '../server-url.ts';
import {
  besideHandWritten,
  fieldsWhere,
  generatedBackends,
  handWrittenBackends,
  isSame,
  partsOf,
} from './join-lists.ts';
import type { JoinOptions } from './join-options.ts';

/** An edited document, and the state at the time of the last write. */
export interface Edit {
  readonly edited: Mapping;
  readonly generated: Mapping;
  readonly handWritten: Mapping;
  /** The joined document that was written. */
  readonly merged: Mapping;
}

/** Whether two configurations differ only in fields that are safe for every backend. */
function differInCommon(now: Mapping, before: Mapping): boolean {
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].every(
    (field) =>
      (Object.hasOwn(now, field) && same(now[field], before[field])) ||
      isCommon(field, Object.hasOwn(now, field) ? now[field] : null),
  );
}

const NOTHING = { list: [], beside: {}, exclusive: false };

/** The backends of a configuration, flat or in a list. */
function backendsIn(
  config: Mapping,
  shape: Shape,
): { readonly flat: boolean; readonly all: readonly Mapping[] } {
  const { list, beside } = partsOf(config, shape) ?? NOTHING;
  const flat = list.length === 0 && Object.keys(beside).some(isAddress);
  return { flat, all: flat ? [beside] : list };
}

/** The hand-written part of an edited configuration with several backends; `undefined` if it has none. */
function learnedList(edit: Edit, shape: Shape, namespace: string | undefined): Mapping | undefined {
  const now = partsOf(edit.edited, shape);
  if (now === undefined) return edit.edited;
  const before = partsOf(edit.handWritten, shape) ?? NOTHING;
  const generated = generatedBackends(edit.generated, shape);
  const { all: there, flat: wasFlat } = backendsIn(edit.merged, shape);
  const { all: left, flat } = backendsIn(edit.edited, shape);
  const ours = besideHandWritten(generated, handWrittenBackends(before, shape).entries, shape, namespace).map(
    (entry) => (wasFlat ? fieldsWhere(entry, (field) => field !== shape.name) : entry),
  );
  const has = (list: readonly Mapping[], entry: Mapping): boolean => list.some((each) => isSame(each, entry));
  // If a generated backend was removed from a list, the whole list is hand-written from then on.
  const alone = before.exclusive || generated.some((entry) => has(there, entry) && !has(left, entry));
  const theirs = left.filter((entry) => alone || !ours.some((each) => same(each, entry)));
  const address = Object.keys(generated[0] ?? {}).find(isAddress) ?? 'api_url';
  if (flat)
    return theirs.length === 0 ? undefined : { ...now.beside, ...(alone ? { [shape.list]: null } : {}) };
  const part = {
    ...(alone && theirs.length > 0 ? { [address]: null } : {}),
    ...now.beside,
    ...(theirs.length > 0 ? { [shape.list]: theirs } : alone ? { [shape.list]: null } : {}),
  };
  return Object.keys(part).length === 0 ? undefined : part;
}

/** The hand-written part of an edited configuration; `keep` if the field-by-field differences are right. */
function learnedConfig(edit: Edit, shape: Shape | undefined, options: JoinOptions): unknown {
  const { edited, merged } = edit;
  if (same(edited, merged)) return 'keep';
  const isList = (config: Mapping): boolean =>
    shape !== undefined && (partsOf(config, shape)?.list.length ?? 1) > 0;
  if (!isList(edited) && !isList(merged) && differInCommon(edited, merged)) return 'keep';
  return shape === undefined ? edited : learnedList(edit, shape, options.namespace);
}

/**
 * Refines a patch from the differences of an edit: generated backends in an edited list do not become hand-written ones, and
 * an option next to an address belongs to that address.
 * @param patch the differences of the edit, field by field
 */
export function learnEdit(patch: Mapping, edit: Edit, options: JoinOptions): Mapping {
  const section = (document: Mapping): Mapping => {
    const entries = own(document, 'toolsets');
    return mappingOf(entries);
  };
  const configOf = (document: Mapping, name: string): unknown => {
    const entry = own(section(document), name);
    return isMapping(entry) ? own(entry, 'config') : undefined;
  };
  const learned = new Map(Object.entries(section(patch)));
  for (const [name, entry] of Object.entries(section(edit.edited))) {
    const [edited, generated] = [configOf(edit.edited, name), configOf(edit.generated, name)];
    if (!isMapping(entry) || !isMapping(edited) || !isMapping(generated)) continue;
    const [handWritten, merged] = [configOf(edit.handWritten, name) ?? {}, configOf(edit.merged, name) ?? {}];
    if (!isMapping(handWritten) || !isMapping(merged)) continue;
    const shape = shapeOf(name, own(entry, 'type'), options.holmesgptVersion !== '0.20');
    const config = learnedConfig({ edited, generated, handWritten, merged }, shape, options);
    if (config === 'keep') continue;
    const before = learned.get(name);
    const rest = fieldsWhere(mappingOf(before), (field) => field !== 'config');
    const next =
      config === undefined || (isMapping(config) && Object.keys(config).length === 0)
        ? rest
        : { ...rest, config };
    if (Object.keys(next).length === 0) learned.delete(name);
    else learned.set(name, next);
  }
  const rest = withServersOf(patch, edit);
  if (learned.size === 0) return fieldsWhere(rest, (key) => key !== 'toolsets');
  return { ...rest, toolsets: Object.fromEntries(learned) };
}

/** Fields of an MCP server's configuration that say where it is, or how it looks. */
const PLACE = new Set(['url', 'mode']);
const LOOKS = new Set(['icon_url']);

/** Whether a person changed something in the configuration of an MCP server that not every server may get, such as a header. */
const isForOneServer = (now: Mapping, before: Mapping): boolean =>
  Object.entries(now).some(
    ([field, value]) =>
      !PLACE.has(field) && !LOOKS.has(field) && !isCommon(field, value) && !same(value, own(before, field)),
  );

/**
 * A server to which the person gave another address is theirs as a whole: nothing of the discovered one applies to it, and
 * without the list of tools, the agent would ask before none. A credential belongs to the address beside which the person wrote
 * it, because the owner of the Service may choose another address later.
 */
function withServersOf(patch: Mapping, { edited, merged }: Edit): Mapping {
  const servers = (document: Mapping): Mapping => {
    const entries = own(document, 'mcp_servers');
    return mappingOf(entries);
  };
  const [now, before] = [servers(edited), servers(merged)];
  const learned = servers(patch);
  const refined = Object.entries(now).flatMap(([name, entry]): [string, unknown][] => {
    const old = own(before, name);
    if (!isMapping(old) || !isMapping(entry)) return [];
    if (serverUrl(entry) !== serverUrl(old)) return [[name, entry]];
    const config = mappingOf(own(entry, 'config'));
    if (!isForOneServer(config, mappingOf(own(old, 'config')))) return [];
    const mine = mappingOf(own(learned, name));
    const place = fieldsWhere(config, (field) => PLACE.has(field));
    return [[name, { ...mine, config: { ...place, ...mappingOf(own(mine, 'config')) } }]];
  });
  if (refined.length === 0) return patch;
  return { ...patch, mcp_servers: { ...learned, ...Object.fromEntries(refined) } };
}
