import { createHash } from 'node:crypto';
import { displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import { objectName } from '../model/part.ts';
import type { PublishedTool } from '../model/published-tools.ts';

/**
 * Why a published tool would be removed.
 * - `not ready`: none of its Pods is ready
 * - `unhealthy`: it is unreachable, or returns an error
 * - `contradicted`: something else responds, such as a login page
 * - `gone`: its Service is gone, or no detector matches it
 */
export type Cause = 'not ready' | 'unhealthy' | 'contradicted' | 'gone';

/** Discovered tools, by name. */
export interface FoundTools {
  /** Tools that can be published. */
  readonly usable: ReadonlySet<string>;
  /** Tools that cannot, with the cause. */
  readonly unusable: ReadonlyMap<string, Cause>;
  /** Usable tools whose last probe failed. They become unusable if the next ones fail too. */
  readonly failing?: ReadonlySet<string> | undefined;
}

/** A published tool that the inputs no longer contain. */
export interface Loss {
  readonly tool: string;
  /** The namespace of its Service. */
  readonly namespace: string;
  /** The Service, with its namespace. A Service counts once, whatever its tools are called. */
  readonly service: string;
  readonly cause: Cause;
}

/** A removed tool, with the time in milliseconds since 1970. */
export interface Gone extends Pick<Loss, 'tool' | 'namespace' | 'service'> {
  readonly at: number;
}

/** A published tool that fails, and is not lost yet. */
export type Failing = Pick<Loss, 'namespace' | 'service'>;

export interface RemovalOptions {
  /** How long to hold a mass removal, in milliseconds. */
  readonly hold: number;
  /** Whether this process runs a single pass, so that a failed probe is not repeated. */
  readonly once: boolean;
  /** Whether the configuration excludes a tool. Such a tool is removed at once. */
  readonly excluded?: Excluded | undefined;
}

/** Why the configuration excludes a published tool, such as `its detector is off there`; `undefined` if it does not. */
export type Excluded = (tool: PublishedTool) => string | undefined;

const NONE_EXCLUDED: Excluded = () => undefined;

/** The held and the removed tools. Times are in milliseconds since 1970. */
export interface Removals {
  readonly held: readonly string[];
  readonly released: readonly Loss[];
  /** When the last hold ends. */
  readonly until: number | undefined;
  /** Milliseconds until the first hold ends. */
  readonly due: number | undefined;
  /** The annotation to publish about held tools. */
  readonly note: string | undefined;
  /** The annotation about all lost tools, for the case that all published documents stay: it keeps their times. */
  readonly noteOfAll: string | undefined;
}

/** Minimum lost tools of a mass removal that removes more than half of all tools. */
const MIN_MASS_LOSS = 3;
/** Minimum lost tools of a mass removal that removes all tools. */
const MIN_TOTAL_LOSS = 2;

/**
 * Maximum hold for tools without ready Pods, in milliseconds. It is short, because readiness comes from Kubernetes and does
 * not depend on the network, DNS or a proxy.
 */
const NOT_READY_HOLD = 15_000;

/** How long a single-pass process holds a tool after one failed probe, so that the next process can confirm it. */
const CONFIRMATION_HOLD = 30_000;

/** Counts the Services of published tools by namespace, without excluded ones. */
export function countsOf(published: readonly PublishedTool[], excluded = NONE_EXCLUDED): Map<string, number> {
  const services = new Map<string, Set<string>>();
  for (const tool of published) {
    const service = serviceOf(tool);
    if (service === undefined || excluded(tool) !== undefined) continue;
    const namespace = namespaceOf(tool);
    services.set(namespace, (services.get(namespace) ?? new Set()).add(service));
  }
  return new Map([...services].map(([namespace, { size }]) => [namespace, size]));
}

const namespaceOf = ({ cluster = HOME_CLUSTER, namespace = '' }: PublishedTool): string =>
  displayNamespace({ cluster, namespace });

/** The Service of a tool. All parts of a Service count as one. */
const serviceOf = (tool: PublishedTool): string | undefined => {
  const { service: name } = tool.metadata;
  return name === undefined ? undefined : `${namespaceOf(tool)}/${objectName({ name })}`;
};

/** The Service of a tool, or its part. */
const placeOf = (tool: PublishedTool): string => `${namespaceOf(tool)}/${tool.metadata.service}`;

/**
 * The published tools that would be removed, except those that overrides or the configuration remove. A renamed tool with
 * the same endpoint or Service is not lost.
 */
export function losses(
  before: readonly PublishedTool[],
  after: readonly PublishedTool[],
  found: FoundTools,
  excluded = NONE_EXCLUDED,
): readonly Loss[] {
  const names = new Set(after.map(({ name }) => name));
  const endpoints = new Set(after.map(({ endpoint }) => endpoint));
  const places = new Set(after.map(placeOf));
  return before.flatMap((tool) => {
    const service = serviceOf(tool);
    // A tool without a Service is a user's own, so the user removed it.
    if (service === undefined || found.usable.has(tool.name) || excluded(tool) !== undefined) return [];
    if (names.has(tool.name) || endpoints.has(tool.endpoint) || places.has(placeOf(tool))) return [];
    const cause = found.unusable.get(tool.name) ?? 'gone';
    return [{ tool: tool.name, namespace: namespaceOf(tool), service, cause }];
  });
}

/** The published tools that may be lost soon. */
export const failingTools = (
  published: readonly PublishedTool[],
  { failing }: FoundTools,
  excluded = NONE_EXCLUDED,
): readonly Failing[] =>
  published.flatMap((tool) => {
    const service = serviceOf(tool);
    const counts = failing?.has(tool.name) === true && service !== undefined && excluded(tool) === undefined;
    return counts ? [{ namespace: namespaceOf(tool), service }] : [];
  });

/**
 * The removed tools that are still missing: no tool of their Service is published now, under any name, and none of their
 * namespace has their name. A name in another namespace does not count, because its owner may choose it.
 */
export function stillMissing(gone: readonly Gone[], published: readonly PublishedTool[]): readonly Gone[] {
  const services = new Set(published.map(serviceOf));
  const names = new Set(published.map((tool) => `${namespaceOf(tool)} ${tool.name}`));
  return gone.filter(
    ({ service, namespace, tool }) => !services.has(service) && !names.has(`${namespace} ${tool}`),
  );
}

/** Whether so many lost tools are more likely one common failure than separate ones. */
const isMass = (lost: number, all: number): boolean =>
  (lost >= MIN_MASS_LOSS && lost * 2 > all) || (lost >= MIN_TOTAL_LOSS && lost === all);

interface Count {
  readonly lost: number;
  readonly all: number;
}

/**
 * Whether most tools of the whole cluster are lost: either all tools of several namespaces, or a mass loss even without any
 * single namespace. So a tenant that removes its own tools cannot hold removals in other namespaces.
 */
function isOutage(counts: readonly Count[]): boolean {
  const losing = counts.filter(({ lost }) => lost > 0);
  const lost = losing.reduce((sum, count) => sum + count.lost, 0);
  const all = counts.reduce((sum, count) => sum + count.all, 0);
  if (losing.length < 2) return false;
  return lost === all || losing.every((count) => isMass(lost - count.lost, all - count.all));
}

/** Services by namespace. */
const servicesBy = (all: readonly Failing[]): ReadonlyMap<string, ReadonlySet<string>> =>
  new Map(
    [...Map.groupBy(all, ({ namespace }) => namespace)].map(([namespace, each]) => [
      namespace,
      new Set(each.map(({ service }) => service)),
    ]),
  );

/**
 * The namespaces whose losses are held: those that lose most of their tools, or all namespaces in a cluster-wide outage.
 * Recently removed tools and failing ones count as lost, because probes do not all fail in the same second.
 */
function massLosses(
  lost: readonly Loss[],
  all: ReadonlyMap<string, number>,
  gone: readonly Gone[],
  failing: readonly Failing[],
): (namespace: string) => boolean {
  const missingBy = servicesBy([...lost, ...failing]);
  const missing = new Set([...missingBy.values()].flatMap((services) => [...services]));
  const goneBy = servicesBy(gone.filter(({ service }) => !missing.has(service)));
  const names = new Set([...all.keys(), ...missingBy.keys(), ...goneBy.keys()]);
  const counts = new Map(
    [...names].map((namespace) => {
      const before = goneBy.get(namespace)?.size ?? 0;
      const now = missingBy.get(namespace)?.size ?? 0;
      return [namespace, { lost: now + before, all: (all.get(namespace) ?? 0) + before }];
    }),
  );
  const everywhere = isOutage([...counts.values()]);
  return (namespace) => {
    const { lost: now, all: before } = counts.get(namespace) ?? { lost: 0, all: 0 };
    return everywhere || isMass(now, before);
  };
}

/** The removed tools that still count as recent. */
export const stillGone = (gone: readonly Gone[], now: number, hold: number): readonly Gone[] =>
  gone.filter(({ at }) => at <= now && now - at < hold);

/** How long a mass removal of tools is held, by cause, in milliseconds. */
export const massHold = (cause: Cause, hold: number): number =>
  cause === 'not ready' ? Math.min(NOT_READY_HOLD, hold) : hold;

/** How long to hold a tool, by cause, in milliseconds. */
function holdFor(cause: Cause, mass: boolean, { hold, once }: RemovalOptions): number {
  if (mass) return massHold(cause, hold);
  const isProbed = cause === 'unhealthy' || cause === 'contradicted';
  return once && isProbed ? Math.min(CONFIRMATION_HOLD, hold) : 0;
}

/** A short hash of a tool's name, because many names would not fit into an annotation. */
const keyOf = (tool: string): string => createHash('sha256').update(tool).digest('hex').slice(0, 8);

const GROUP = /^(\S+Z)((?: [0-9a-f]{8})+)$/;

/** Parses `TIME KEY KEY; TIME KEY`: since when each tool is held. Invalid parts are ignored. */
function readNote(note: string | undefined): ReadonlyMap<string, number> {
  const since = new Map<string, number>();
  for (const group of (note ?? '').split('; ')) {
    const [, time = '', keys = ''] = GROUP.exec(group) ?? [];
    const at = Date.parse(time);
    if (!Number.isNaN(at)) for (const key of keys.trim().split(' ')) since.set(key, at);
  }
  return since;
}

/** Since when the annotation about held tools has a tool, in milliseconds since 1970; `undefined` if it has not. */
export const heldSince = (note: string | undefined, tool: string): number | undefined =>
  readNote(note).get(keyOf(tool));

function writeNote(since: readonly (readonly [tool: string, at: number])[]): string | undefined {
  const groups = new Map<number, string[]>();
  for (const [tool, at] of since) groups.set(at, [...(groups.get(at) ?? []), keyOf(tool)]);
  const times = [...groups].sort(([a], [b]) => a - b);
  const texts = times.map(
    ([at, keys]) => `${new Date(at).toISOString().replace(/\.\d+Z$/, 'Z')} ${keys.sort().join(' ')}`,
  );
  return texts.length === 0 ? undefined : texts.join('; ');
}

/**
 * Decides which of the lost tools are held, and until when. The hold starts when any process first misses the tool, so it
 * continues across restarts and runs, and ends.
 * @param all number of published Services by namespace, from `countsOf`
 * @param note the published annotation about held tools
 * @param now milliseconds since 1970
 * @param gone removed tools that are still missing; recent ones count as lost
 * @param failing published tools that are not lost yet, but fail; they count as lost
 */
export function removals(
  lost: readonly Loss[],
  all: ReadonlyMap<string, number>,
  note: string | undefined,
  now: number,
  options: RemovalOptions,
  gone: readonly Gone[] = [],
  failing: readonly Failing[] = [],
): Removals {
  const remembered = readNote(note);
  const isMassLoss = massLosses(lost, all, stillGone(gone, now, options.hold), failing);
  // A clock that was ahead must not extend the hold.
  const sinceOf = (tool: string): number => Math.min(remembered.get(keyOf(tool)) ?? now, now);
  const inSeconds = (time: number): number => Math.floor(time / 1000) * 1000;
  const held = lost.flatMap(({ tool, namespace, cause }) => {
    const before = remembered.get(keyOf(tool));
    const since = sinceOf(tool);
    // A hold continues even if the loss is no longer a mass loss, because tools were added or came back.
    const isHeld = before !== undefined && !options.once;
    const until = since + holdFor(cause, isHeld || isMassLoss(namespace), options);
    return until > now ? [{ tool, since: inSeconds(since), until }] : [];
  });
  const untils = held.map(({ until }) => until);
  const kept = new Set(held.map(({ tool }) => tool));
  return {
    held: [...kept],
    released: lost.filter(({ tool }) => !kept.has(tool)),
    until: untils.length === 0 ? undefined : Math.max(...untils),
    due: untils.length === 0 ? undefined : Math.min(...untils) - now,
    note: writeNote(held.map(({ tool, since }) => [tool, since])),
    noteOfAll: writeNote(lost.map(({ tool }) => [tool, inSeconds(sinceOf(tool))])),
  };
}
