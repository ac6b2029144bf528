import type { Problem } from '../../../model/discovery.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { mergePatch } from '../../../model/merge.ts';
import { sameBackend } from '../../../model/same-url.ts';
import { own } from '../contract/models.ts';
import {
  addressesOf,
  addressFaults,
  carriesCredentials,
  isCommon,
  type Shape,
  shapeOf,
} from '../contract/shape.ts';
import { baseUrlsOf } from '../render/base-urls.ts';
import {
  besideHandWritten,
  fieldsWhere,
  generatedBackends,
  handWrittenBackends,
  isSame,
  partsOf,
} from './join-lists.ts';
import type { JoinOptions } from './join-options.ts';

interface Config {
  readonly config: unknown;
  readonly note?: Omit<Problem, 'where'>;
}

const FIX =
  'for a discovered backend, name it under backends in overrides.yaml; for one of your own, give its address too';
const LEFT_OUT = 'so the discovered backends of this toolset are left out';
const withoutNulls = (value: unknown): unknown => mergePatch(undefined, value);

/** How the configurations of one toolset are joined. */
interface ToolsetOptions {
  readonly shape: Shape | undefined;
  /** The toolset also works without an address. */
  readonly alone: boolean;
  readonly namespace: string | undefined;
  readonly discovered: ReadonlySet<string> | undefined;
}

/** Whether a generated backend has its address from overrides. */
function isFromOverrides(backend: Mapping, discovered: ReadonlySet<string> | undefined): boolean {
  const addresses = addressesOf(backend);
  return (
    discovered !== undefined &&
    addresses.length > 0 &&
    !addresses.some((address) => [...discovered].some((known) => sameBackend(address, known)))
  );
}

/** Whether discovered backends are lost if only the hand-written ones stay. */
function losesDiscovered(
  generated: Mapping,
  handWritten: readonly Mapping[],
  { shape, namespace, discovered }: Omit<ToolsetOptions, 'alone'>,
): boolean {
  const backends = shape === undefined ? [generated] : generatedBackends(generated, shape);
  return backends.some(
    (backend) =>
      addressesOf(backend).length > 0 &&
      !isFromOverrides(backend, discovered) &&
      !handWritten.some((each) => isSame(each, backend, namespace)),
  );
}

/** Explains why options have no address, as the start of a sentence, and what to do. */
function missingAddress(handWritten: Mapping, kept: readonly string[], otherwise: string) {
  const faults = Object.entries({ '': handWritten, ...handWritten }).flatMap(([field, value]) =>
    [value]
      .flat()
      .flatMap((backend: unknown, index) =>
        isMapping(backend)
          ? addressFaults(backend).map((each) => `config.${field === '' ? '' : `${field}.${index}.`}${each}`)
          : [],
      ),
  );
  return faults.length === 0
    ? { why: `config has ${kept.join(', ')} and no address, and ${otherwise}`, fix: FIX }
    : { why: faults.join(', '), fix: 'correct or remove it' };
}

/** Options that are not common and have no address: it is unknown for which backends they are. */
function joinWithoutAddress(generated: Mapping, handWritten: Mapping, options: ToolsetOptions): Config {
  const { shape, alone, discovered } = options;
  const common = fieldsWhere(handWritten, isCommon);
  const kept = Object.keys(handWritten).filter((field) => !Object.hasOwn(common, field));
  const backends = shape === undefined ? [generated] : generatedBackends(generated, shape);
  const persons = alone ? backends.filter((backend) => isFromOverrides(backend, discovered)) : [];
  if (persons.length > 0) {
    const [only] = persons;
    const { why, fix } = missingAddress(handWritten, kept, 'overrides.yaml gives the toolset one');
    return {
      config: mergePatch(shape === undefined ? only : { [shape.list]: persons }, common),
      note: { what: `${why}, so it is not merged`, fix },
    };
  }
  const { why, fix } = missingAddress(handWritten, kept, 'every discovered backend would receive that');
  if (alone) {
    const config = withoutNulls(handWritten);
    if (losesDiscovered(generated, [], options))
      return { config, note: { what: `${why}, ${LEFT_OUT}`, fix } };
    return fix === FIX ? { config } : { config, note: { what: why, fix } };
  }
  return { config: mergePatch(generated, common), note: { what: `${why}, so it is not merged`, fix } };
}

/** Joins where HolmesGPT supports one backend: a hand-written one replaces the generated one. */
function joinSingle(generated: Mapping, handWritten: Mapping, options: ToolsetOptions): Config {
  if (Object.entries(handWritten).every(([field, value]) => isCommon(field, value)))
    return { config: mergePatch(generated, handWritten) };
  const listed = [own(handWritten, 'instances') ?? []].flat().filter(isMapping);
  if ([handWritten, ...listed].every((backend) => addressesOf(backend).length === 0))
    return joinWithoutAddress(generated, handWritten, options);
  const config = withoutNulls(handWritten);
  if (!losesDiscovered(generated, [handWritten, ...listed], options)) return { config };
  const what =
    listed.length > 0
      ? `config has instances, which HolmesGPT supports from 0.32 on, and names its backends, ${LEFT_OUT}`
      : `config names a backend, and HolmesGPT supports only one backend per toolset of this kind, ${LEFT_OUT}`;
  return { config, note: { what } };
}

/** The first entry of a list that has credentials and no address: HolmesGPT may look for a backend itself, and send them there. */
function withoutPlace(list: readonly Mapping[], shape: Shape): Config['note'] {
  for (const [index, entry] of list.entries()) {
    if (addressesOf(entry).length > 0) continue;
    const fields = Object.keys(entry).filter((field) => carriesCredentials(field, entry[field]));
    if (fields.length === 0) continue;
    const what = `config.${shape.list}.${index} has ${fields.join(', ')} and no address, so HolmesGPT decides which backend gets that, or fails`;
    return { what, fix: 'give its address too' };
  }
  return undefined;
}

/** Joins lists: hand-written backends come first, then the generated ones. */
function joinList(generated: Mapping, handWritten: Mapping, shape: Shape, options: ToolsetOptions): Config {
  const parts = partsOf(handWritten, shape);
  // HolmesGPT rejects the configuration with a message of its own.
  if (parts === undefined) return { config: withoutNulls(handWritten) };
  const { list, beside, exclusive } = parts;
  const safe = Object.entries(beside).every(([field, value]) => isCommon(field, value));
  if (!shape.flat && list.length > 0 && !safe && shape.name === undefined) {
    const what = `config has ${Object.keys(beside).join(', ')} next to ${shape.list}, which applies to all of them, ${LEFT_OUT}`;
    const note = { what, fix: 'give your endpoints an entry of another name' };
    const isLost = losesDiscovered(generated, list, options);
    return { config: withoutNulls(handWritten), ...(isLost ? { note } : {}) };
  }
  const { entries: theirs, common, note } = handWrittenBackends(parts, shape);
  if (theirs.length === 0)
    return exclusive || safe
      ? { config: exclusive ? beside : mergePatch(generated, handWritten) }
      : joinWithoutAddress(generated, handWritten, options);
  const backends = exclusive ? [] : generatedBackends(generated, shape);
  const found = backends.filter((backend) => addressesOf(backend).length > 0);
  const ours = besideHandWritten(found, theirs, shape, options.namespace);
  const config =
    ours.length === 0 && list.length === 0
      ? beside
      : { ...common, [shape.list]: [...theirs.map(withoutNulls), ...ours] };
  const [lost] = backends.filter((backend) => addressesOf(backend).length === 0);
  if (lost === undefined) {
    const told = note === undefined ? withoutPlace(theirs, shape) : { what: note };
    return { config, ...(told === undefined ? {} : { note: told }) };
  }
  const fields = Object.keys(lost).filter((field) => field !== shape.name);
  const what = `overrides.yaml has ${fields.join(', ')} for it and no address, and this config has one, so that is not merged`;
  return { config, note: { what, fix: FIX } };
}

/**
 * Of all toolsets with an address, only this one also works without it: HolmesGPT uses PROMETHEUS_URL, or searches for
 * Prometheus.
 */
export const WITHOUT_ADDRESS = 'prometheus/metrics';

/** Whether a hand-written entry is of another type than the generated one of its name. Without a type, it is one if it has tools. */
function isOfAnotherType(handWritten: Mapping, generated: Mapping): boolean {
  const [theirs, ours] = [own(handWritten, 'type') ?? undefined, own(generated, 'type')];
  const tools = own(handWritten, 'tools');
  return theirs === undefined
    ? ours !== undefined && Array.isArray(tools) && tools.length > 0
    : theirs !== ours;
}

/** Joins a toolset. */
export function joinToolset(name: string, generated: Mapping, handWritten: Mapping, options: JoinOptions) {
  const { config: theirs, ...fields } = handWritten;
  const { config: ours, ...others } = generated;
  const { namespace, discovered } = options;
  if (isOfAnotherType(fields, others)) {
    const before = shapeOf(name, own(others, 'type'), options.holmesgptVersion !== '0.20');
    const isLost = isMapping(ours) && losesDiscovered(ours, [], { shape: before, namespace, discovered });
    const note = { what: `is an entry of another type, ${LEFT_OUT}` };
    return { entry: withoutNulls(handWritten), ...(isLost ? { note } : {}) };
  }
  const entry = mergePatch(others, fields) as Mapping;
  if (theirs === null || (theirs === undefined && ours === undefined)) return { entry };
  if (!isMapping(ours) || !isMapping(theirs))
    return { entry: { ...entry, config: theirs === undefined ? ours : withoutNulls(theirs) } };
  const shape = shapeOf(name, own(entry, 'type'), options.holmesgptVersion !== '0.20');
  // Credentials without an address are meant for the Prometheus that HolmesGPT finds.
  const alone =
    name === WITHOUT_ADDRESS &&
    (options.standsAlone ||
      Object.entries(theirs).some(([field, value]) => carriesCredentials(field, value)));
  const how: ToolsetOptions = { shape, alone, namespace, discovered };
  const { config, note } =
    shape === undefined ? joinSingle(ours, theirs, how) : joinList(ours, theirs, shape, how);
  return { entry: withUrls({ ...entry, config }, fields), note };
}

/** Updates the URLs in the instructions of an HTTP toolset. */
function withUrls(entry: Mapping, { llm_instructions: theirs }: Mapping): Mapping {
  const { type, config, llm_instructions: text } = entry;
  if (type !== 'http' || theirs !== undefined || typeof text !== 'string' || !isMapping(config)) return entry;
  const endpoints = Array.isArray(config.endpoints) ? config.endpoints.filter(isMapping) : [];
  return { ...entry, llm_instructions: baseUrlsOf(text, endpoints) };
}

/** A toolset without a generated counterpart. Credentials next to its instances move into them. */
export function ownToolset(
  name: string,
  handWritten: Mapping,
  version: JoinOptions['holmesgptVersion'],
): unknown {
  const entry = withoutNulls(handWritten) as Mapping;
  const shape = shapeOf(name, own(entry, 'type'), version !== '0.20');
  const parts = shape?.flat === true && isMapping(entry.config) ? partsOf(entry.config, shape) : undefined;
  const secret = Object.entries(parts?.beside ?? {}).some(([field, value]) =>
    carriesCredentials(field, value),
  );
  if (shape === undefined || parts === undefined || parts.list.length === 0 || !secret) return entry;
  const { entries, common } = handWrittenBackends(parts, shape);
  return { ...entry, config: { ...common, [shape.list]: entries } };
}
