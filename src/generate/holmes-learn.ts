import { mergePatch } from '../model/merge.ts';
import { same } from '../model/same.ts';
import type { JoinOptions } from './holmes-join.ts';
import { own } from './holmes-models.ts';
import { isAddress, isCommon, type Shape, shapeOf } from './holmes-shape.ts';
import { besidesTheirs, fieldsWhere, generatedBackends, isSame, partsOf, theirsOf } from './join-lists.ts';
import { isMapping, type Mapping } from './model-check.ts';

/** A document that a person edited, and what there was when it was written. */
export interface Edit {
  readonly edited: Mapping;
  readonly generated: Mapping;
  readonly person: Mapping;
  /** The one joined to the other: what was written. */
  readonly merged: Mapping;
}

/** Are all fields in which two configurations differ such that every backend may have them? */
function differInCommon(now: Mapping, before: Mapping): boolean {
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].every(
    (field) =>
      (Object.hasOwn(now, field) && same(now[field], before[field])) ||
      isCommon(field, Object.hasOwn(now, field) ? now[field] : null),
  );
}

/** The generated backends as they were written, and whether the person had taken all of them away before. */
function written({ generated, person, merged }: Edit, shape: Shape, namespace: string | undefined) {
  const nothing = { list: [], beside: {}, exclusive: false };
  const parts = partsOf(person, shape) ?? nothing;
  const there = partsOf(merged, shape) ?? nothing;
  const flat = there.list.length === 0;
  const ours = parts.exclusive
    ? []
    : besidesTheirs(generatedBackends(generated, shape), theirsOf(parts, shape).entries, shape, namespace)
        .filter((entry) => (flat ? [there.beside] : there.list).some((each) => isSame(each, entry)))
        .map((entry) => (flat ? fieldsWhere(entry, (field) => field !== shape.name) : entry));
  return { ours, exclusive: parts.exclusive };
}

/** A person's part of an edited configuration that holds several backends; nothing where there is none. */
function learnedList(edit: Edit, shape: Shape, namespace: string | undefined): Mapping | undefined {
  const now = partsOf(edit.edited, shape);
  if (now === undefined) return edit.edited;
  const { ours, exclusive } = written(edit, shape, namespace);
  const isFlat = now.list.length === 0 && Object.keys(now.beside).some(isAddress);
  const entries = isFlat ? [now.beside] : now.list;
  const theirs = entries.filter((entry) => !ours.some((each) => same(each, entry)));
  const alone = exclusive || ours.some((entry) => !entries.some((each) => isSame(each, entry)));
  const address = Object.keys(ours[0] ?? edit.generated).find(isAddress) ?? 'api_url';
  if (isFlat)
    return theirs.length === 0 ? undefined : { ...now.beside, ...(alone ? { [shape.list]: null } : {}) };
  const part = {
    ...(alone && theirs.length > 0 ? { [address]: null } : {}),
    ...now.beside,
    ...(theirs.length > 0 ? { [shape.list]: theirs } : alone ? { [shape.list]: null } : {}),
  };
  return Object.keys(part).length === 0 ? undefined : part;
}

/** What of an edited configuration is a person's; `keep` where the differences tell it as everywhere else. */
function learnedConfig(edit: Edit, shape: Shape | undefined, options: JoinOptions): unknown {
  const { edited, generated, person, merged } = edit;
  if (same(edited, merged)) return 'keep';
  // As 0.1.0 wrote it, so nobody edited it.
  if (same(edited, mergePatch(generated, person))) return person;
  const isList = (config: Mapping): boolean =>
    shape !== undefined && (partsOf(config, shape)?.list.length ?? 1) > 0;
  if (!isList(edited) && !isList(merged) && differInCommon(edited, merged)) return 'keep';
  return shape === undefined ? edited : learnedList(edit, shape, options.namespace);
}

/**
 * A person's patch as an edit tells it, with what they changed among the backends of toolsets: an edited list holds ours
 * too, and these are not theirs; and an option next to an address is for that address.
 * @param patch the differences of the edit, field by field
 */
export function learnEdit(patch: Mapping, edit: Edit, options: JoinOptions): Mapping {
  const section = (document: Mapping): Mapping => {
    const entries = own(document, 'toolsets');
    return isMapping(entries) ? entries : {};
  };
  const configOf = (document: Mapping, name: string): unknown => {
    const entry = own(section(document), name);
    return isMapping(entry) ? own(entry, 'config') : undefined;
  };
  const learned = new Map(Object.entries(section(patch)));
  for (const [name, entry] of Object.entries(section(edit.edited))) {
    const [edited, generated] = [configOf(edit.edited, name), configOf(edit.generated, name)];
    if (!isMapping(entry) || !isMapping(edited) || !isMapping(generated)) continue;
    const [person, merged] = [configOf(edit.person, name) ?? {}, configOf(edit.merged, name) ?? {}];
    if (!isMapping(person) || !isMapping(merged)) continue;
    const shape = shapeOf(name, own(entry, 'type'), options.holmesgptVersion !== '0.20');
    const config = learnedConfig({ edited, generated, person, merged }, shape, options);
    if (config === 'keep') continue;
    const before = learned.get(name);
    const rest = fieldsWhere(isMapping(before) ? before : {}, (field) => field !== 'config');
    const next =
      config === undefined || (isMapping(config) && Object.keys(config).length === 0)
        ? rest
        : { ...rest, config };
    if (Object.keys(next).length === 0) learned.delete(name);
    else learned.set(name, next);
  }
  if (learned.size === 0) return fieldsWhere(patch, (key) => key !== 'toolsets');
  return { ...patch, toolsets: Object.fromEntries(learned) };
}
