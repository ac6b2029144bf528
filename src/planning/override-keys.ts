import { compareText } from '../model/compare.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { displayKey, partsOf } from '../model/key.ts';
import { nearest } from '../model/nearest.ts';
import {
  addressedService,
  isWholeTool,
  type Overrides,
  type ToolOverride,
  WHOLE_TOOL,
  type WholeTool,
} from '../model/overrides.ts';
import { defaultName, type ServiceKey, type ServiceName, serviceKey } from '../model/service.ts';
import { meantService } from './meant-service.ts';
import type { PublishedTypes } from './published-types.ts';

/** An override of a discovered backend, with its key. */
export interface Change {
  readonly key: string;
  readonly override: ToolOverride;
  /** Set if the override has a URL but not all fields of a complete tool, and the others are known. */
  readonly isCompleted?: true;
}

/** A user's own tool. */
export interface OwnTool extends Change {
  readonly override: WholeTool;
  /** Its name in the documents. */
  readonly name: string;
}

/** The resolved keys of `tools:`. */
export interface Resolved {
  /** By the key of the backend's entry point. */
  readonly changes: ReadonlyMap<ServiceKey, Change>;
  readonly own: readonly OwnTool[];
  readonly notes: readonly Problem[];
}

/** Maximum keys to compare with all known keys for suggestions. */
const MAX_COMPARISONS = 20;

const placeOf = (key: string): string => `overrides.yaml, tool ${key}`;
const keyOf = ({ service }: DiscoveredService): ServiceKey => serviceKey(service);

/** The keys of all Services of a backend. Each of them addresses it. */
export function backendKeys({ service, alternates }: DiscoveredService): ServiceKey[] {
  return [service.name, ...alternates].map((name) => serviceKey({ ...service, name }));
}

/** The display keys of all Services of a backend. */
export function backendReferences({ service, alternates }: DiscoveredService): string[] {
  return [service.name, ...alternates].map((name) => displayKey({ ...service, name }));
}

/** The known types and descriptions for tools with a URL in overrides. */
export interface KnownTypes {
  readonly published: PublishedTypes;
  /** The default description of a type. */
  readonly descriptionOf: (type: string) => string | undefined;
}

const NO_TYPES: KnownTypes = { published: new Map(), descriptionOf: () => undefined };

/**
 * Completes an override that sets a URL with the published type of its tool and the default description. So later changes
 * by the Service's owner do not change the tool.
 */
function completeOverride(
  change: Change,
  keys: readonly Change[],
  { published, descriptionOf }: KnownTypes,
): Change {
  const { override } = change;
  if (override.endpoint === undefined || isWholeTool(override)) return change;
  const services = keys.flatMap(({ key }) => {
    const address = addressedService(key);
    return address === undefined ? [] : [serviceKey(address)];
  });
  const type = override.type ?? services.map((key) => published.get(key)).find((each) => each !== undefined);
  if (type === undefined) return change;
  const description = override.description ?? descriptionOf(type);
  if (description === undefined) return { ...change, override: { ...override, type } };
  return { ...change, override: { ...override, type, description }, isCompleted: true };
}

/** Merges several overrides of one backend, strongest first. If any of them disables it, it is disabled. */
function mergeOverrides(changes: readonly Change[]): Change {
  const [first] = changes;
  if (first === undefined) throw new Error('no override to join');
  if (changes.length === 1) return first;
  const overrides = changes.map(({ override }) => override).reverse();
  const all: ToolOverride = Object.assign({}, ...overrides);
  const metadata = Object.assign({}, ...overrides.map((each) => each.metadata));
  const isOff = changes.some(isSwitchedOff);
  return {
    key: first.key,
    override: { ...all, metadata, ...(isOff ? { enabled: false } : {}) },
  };
}

/** Sorts the overrides of one backend: those of the entry point first, then `namespace/service`, then by name. */
function byStrength(chosen: ServiceKey | undefined): (a: Change, b: Change) => number {
  const rank = ({ key }: Change): number => {
    const address = addressedService(key);
    const isChosen = address !== undefined && serviceKey(address) === chosen;
    return (isChosen ? 0 : 2) + (key.includes('/') ? 0 : 1);
  };
  return (a, b) => rank(a) - rank(b) || compareText(a.key, b.key);
}

const isSwitchedOff = ({ override }: Change): boolean => override.enabled === false;

/** Whether an override changes the tool. One with an approval only does not. */
function changesTool({ override: { approved: _, approvedTools: __, ...rest } }: Change): boolean {
  return Object.keys(rest).length > 0;
}

/** The note that several keys change one tool. @param changes the strongest first */
function conflictNote(changes: readonly Change[], what: string): Problem[] {
  const several = changes.filter(changesTool);
  const [first] = several;
  if (first === undefined || several.length < 2) return [];
  const off = first.override.enabled === false ? undefined : several.find(isSwitchedOff);
  const except = off === undefined ? '' : `, but ${off.key} switches it off`;
  return [
    {
      where: `overrides.yaml, tools ${several.map(({ key }) => key).join(', ')}`,
      what: `address ${what}, so what ${first.key} says wins${except}`,
      fix: 'merge them under one key',
    },
  ];
}

/** Reports keys that match no backend and are not complete tools. */
class Unmatched {
  readonly #known: readonly string[];
  readonly #displayed: ReadonlyMap<string, string>;
  readonly #found: readonly DiscoveredService[];
  #compared = 0;
  #searched = 0;

  constructor(found: readonly DiscoveredService[]) {
    this.#known = found.flatMap(backendReferences).filter((each) => addressedService(each) !== undefined);
    this.#displayed = new Map(
      found.flatMap((each) =>
        [...(each.displayNames ?? []), each.tool].map((name) => [name, displayKey(each.service)] as const),
      ),
    );
    this.#found = found;
  }

  problem({ key, override }: Change): Problem {
    const shown = this.#displayed.get(key);
    if (shown !== undefined)
      return {
        where: placeOf(key),
        what: `is skipped: ${key} is the display name of ${shown}`,
        fix: `write ${shown}`,
      };
    const address = addressedService(key);
    if (address !== undefined && override.endpoint !== undefined && override.enabled !== false)
      return {
        where: placeOf(key),
        what: 'has a URL and is not published: its type is not known, since its Service is no backend that is known now',
        fix: 'give it a type, for example type: loki',
      };
    const beside = address === undefined ? undefined : this.#besides(address);
    if (beside !== undefined)
      return {
        where: placeOf(key),
        what: `names a Service that is not a backend, but has Pods of ${beside}: only enabled: false and approved: false count for these Pods`,
        fix: `for anything else, write ${beside}`,
      };
    const missing = WHOLE_TOOL.filter((field) => override[field] === undefined);
    const isFree = address === undefined && override.enabled !== false;
    const meant = this.#meant(key, address);
    const otherwise =
      address === undefined ? 'write NAMESPACE/SERVICE' : 'it counts as soon as that Service is found';
    return {
      where: placeOf(key),
      what: `matches no backend that is known now${isFree ? `, and to be your own tool it lacks ${missing.join(', ')}` : ''}`,
      fix: meant === undefined ? otherwise : `did you mean ${meant}? Otherwise ${otherwise}`,
    };
  }

  /** The display key of a backend whose Pods a Service has, although it is no part of the backend. */
  #besides(address: ServiceName): string | undefined {
    if (this.#searched++ >= MAX_COMPARISONS) return undefined;
    const { cluster, namespace, name } = address;
    const beside = this.#found.find(
      ({ service, sharesPods = [] }) =>
        service.namespace === namespace && service.cluster === cluster && sharesPods.includes(name),
    );
    return beside === undefined ? undefined : displayKey(beside.service);
  }

  /** The display key that was probably meant. */
  #meant(key: string, address: ReturnType<typeof addressedService>): string | undefined {
    if (this.#compared++ >= MAX_COMPARISONS) return undefined;
    if (address !== undefined) return meantService(displayKey(address), this.#known);
    const names = this.#known.map((each) => each.slice(each.indexOf('/') + 1));
    const name = nearest(key, names);
    const [meant, ...others] = this.#known.filter((each) => each.endsWith(`/${name}`));
    return others.length === 0 ? meant : undefined;
  }
}

/** A note about a tool that keeps its published type although its Service is gone. */
function staysNote({ override }: Change, { key, override: { type, enabled } }: Change): Problem[] {
  if (override.type !== undefined || enabled === false) return [];
  return [
    {
      where: placeOf(key),
      what: `stays as it is published, as ${type}: its Service is no backend that is known now`,
      fix: `write type: ${type}, so that it does not depend on what is published`,
    },
  ];
}

/**
 * Resolves the keys of `tools:`. `namespace/service` and `service.namespace` address the backend of the Service; display
 * names address nothing. Pure.
 */
export function resolveOverrides(
  found: readonly DiscoveredService[],
  { tools }: Overrides,
  types: KnownTypes = NO_TYPES,
): Resolved {
  const entries = Object.entries(tools).map(([key, override]): Change => ({ key, override }));
  if (entries.length === 0) return { changes: new Map(), own: [], notes: [] };
  const backends = new Map(
    found.flatMap((each) => backendKeys(each).map((key) => [key, keyOf(each)] as const)),
  );
  const byBackend = new Map<ServiceKey, Change[]>();
  const byAddress = new Map<string, Change[]>();
  const own: OwnTool[] = [];
  const unmatched = new Unmatched(found);
  const notes: Problem[] = [];
  const put = <K>(map: Map<K, Change[]>, key: K, change: Change): void =>
    void map.set(key, [...(map.get(key) ?? []), change]);
  for (const change of entries) {
    const address = addressedService(change.key);
    const backend = address === undefined ? undefined : backends.get(serviceKey(address));
    if (backend !== undefined) put(byBackend, backend, change);
    else if (address !== undefined) put(byAddress, defaultName(address), change);
    else if (isWholeTool(change.override))
      own.push({ ...change, override: change.override, name: change.key });
    else notes.push(unmatched.problem(change));
  }
  const changes = new Map<ServiceKey, Change>();
  for (const [backend, several] of byBackend) {
    several.sort(byStrength(backend));
    notes.push(...conflictNote(several, `one backend, ${displayKey(partsOf(backend))}`));
    changes.set(backend, completeOverride(mergeOverrides(several), several, types));
  }
  for (const [name, several] of byAddress) {
    several.sort(byStrength(undefined));
    const said = mergeOverrides(several);
    const tool = completeOverride(said, several, types);
    const { override } = tool;
    if (isWholeTool(override)) {
      own.push({ ...tool, override, name });
      notes.push(...conflictNote(several, 'one tool'), ...staysNote(said, tool));
    } else notes.push(...several.map((change) => unmatched.problem(change)));
  }
  return { changes, own, notes };
}
