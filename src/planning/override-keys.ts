import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { nearest } from '../model/nearest.ts';
import {
  addressedService,
  isWholeTool,
  type Overrides,
  type ToolOverride,
  WHOLE_TOOL,
} from '../model/overrides.ts';
import { defaultName, type ServiceKey, serviceKey } from '../model/service.ts';

/** What people wrote of a discovered backend, and the key by which they address it. */
export interface Change {
  readonly key: string;
  readonly override: ToolOverride;
}

/** A tool that a person added. */
export interface OwnTool extends Change {
  /** Its name in the documents. */
  readonly name: string;
}

/** What the keys of `tools:` come to. */
export interface Resolved {
  /** By the key of the backend's chosen Service. */
  readonly changes: ReadonlyMap<ServiceKey, Change>;
  readonly own: readonly OwnTool[];
  readonly notes: readonly Problem[];
}

/** So many keys at most are compared with all that is known, to tell what was meant. */
const COMPARED = 20;

const placeOf = (key: string): string => `overrides.yaml, tool ${key}`;
const keyOf = ({ service }: DiscoveredService): ServiceKey => serviceKey(service);

/** All Services of a backend; a key that names any of them addresses it. */
export function backendKeys({ service: { namespace, name }, alternates }: DiscoveredService): ServiceKey[] {
  return [name, ...alternates].map((member) => serviceKey({ namespace, name: member }));
}

/** Several overrides of one thing as one, the strongest first. Whoever switches it off has the last word. */
function joined(changes: readonly Change[]): Change {
  const [first] = changes;
  if (first === undefined) throw new Error('no override to join');
  if (changes.length === 1) return first;
  const overrides = changes.map(({ override }) => override).reverse();
  const all: ToolOverride = Object.assign({}, ...overrides);
  const metadata = Object.assign({}, ...overrides.map((each) => each.metadata ?? {}));
  const isOff = overrides.some(({ enabled }) => enabled === false);
  return {
    key: first.key,
    override: { ...all, metadata, ...(isOff ? { enabled: false } : {}) },
  };
}

/** The overrides of one backend, the strongest first: of the chosen Service, then `namespace/service`, then by name. */
function byStrength(chosen: ServiceKey | undefined): (a: Change, b: Change) => number {
  const rank = ({ key }: Change): number => {
    const address = addressedService(key);
    const isChosen = address !== undefined && serviceKey(address) === chosen;
    return (isChosen ? 0 : 2) + (key.includes('/') ? 0 : 1);
  };
  return (a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : 1);
}

function toldTogether(changes: readonly Change[], what: string): Problem[] {
  const [first] = changes;
  if (first === undefined || changes.length < 2) return [];
  return [
    {
      where: `overrides.yaml, tools ${changes.map(({ key }) => key).join(', ')}`,
      what: `address ${what}, so what ${first.key} says wins`,
      fix: 'merge them under one key',
    },
  ];
}

/** What to tell of a key that addresses nothing and is no tool by itself. */
class Unmatched {
  readonly #known: readonly ServiceKey[];
  readonly #displayed: ReadonlyMap<string, ServiceKey>;
  #compared = 0;

  constructor(found: readonly DiscoveredService[]) {
    this.#known = found.flatMap(backendKeys);
    this.#displayed = new Map(
      found.flatMap((each) =>
        [...(each.displayNames ?? []), each.tool].map((name) => [name, keyOf(each)] as const),
      ),
    );
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

  /** The identity that was probably meant. */
  #meant(key: string, address: ReturnType<typeof addressedService>): string | undefined {
    if (this.#compared++ >= COMPARED) return undefined;
    if (address !== undefined) return nearest(serviceKey(address), this.#known);
    const names = this.#known.map((each) => each.slice(each.indexOf('/') + 1));
    const name = nearest(key, names);
    return name === undefined ? undefined : this.#known[names.indexOf(name)];
  }
}

/**
 * Says what each key of `tools:` addresses. `namespace/service` and `service.namespace` address the backend that the
 * Service leads to; a name for display addresses nothing. Pure.
 */
export function resolveOverrides(found: readonly DiscoveredService[], { tools }: Overrides): Resolved {
  const entries = Object.entries(tools).map(([key, override]): Change => ({ key, override }));
  if (entries.length === 0) return { changes: new Map(), own: [], notes: [] };
  const backends = new Map(
    found.flatMap((each) => backendKeys(each).map((key) => [key, keyOf(each)] as const)),
  );
  const byBackend = new Map<ServiceKey, Change[]>();
  const byName = new Map<string, Change[]>();
  const unmatched = new Unmatched(found);
  const notes: Problem[] = [];
  const put = <K>(map: Map<K, Change[]>, key: K, change: Change): void =>
    void map.set(key, [...(map.get(key) ?? []), change]);
  for (const change of entries) {
    const address = addressedService(change.key);
    const backend = address === undefined ? undefined : backends.get(serviceKey(address));
    if (backend !== undefined) put(byBackend, backend, change);
    else if (isWholeTool(change.override))
      put(byName, address === undefined ? change.key : defaultName(address), change);
    else notes.push(unmatched.problem(change));
  }
  const changes = new Map<ServiceKey, Change>();
  for (const [backend, several] of byBackend) {
    several.sort(byStrength(backend));
    notes.push(...toldTogether(several, `one backend, ${backend}`));
    changes.set(backend, joined(several));
  }
  const own = [...byName].map(([name, several]): OwnTool => {
    several.sort(byStrength(undefined));
    notes.push(...toldTogether(several, 'one tool'));
    return { ...joined(several), name };
  });
  return { changes, own, notes };
}
