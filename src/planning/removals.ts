import { createHash } from 'node:crypto';
import { displayNamespace, HOME_CLUSTER } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';

/**
 * Why a published tool would go.
 * - `not ready`: Kubernetes says that no Pod of it is ready
 * - `unhealthy`: it cannot be reached, or answers with an error
 * - `contradicted`: something else answers in its place, such as a login page
 * - `gone`: its Service is not seen any more, or no detector takes it for a backend
 */
export type Cause = 'not ready' | 'unhealthy' | 'contradicted' | 'gone';

/** What was found, by the names of the tools. */
export interface FoundTools {
  /** Those that can be offered. */
  readonly usable: ReadonlySet<string>;
  /** Those that cannot, and why. */
  readonly unusable: ReadonlyMap<string, Cause>;
}

/** A published tool that the inputs do not give any more. */
export interface Loss {
  readonly tool: string;
  /** Of the Service behind it. */
  readonly namespace: string;
  readonly cause: Cause;
}

/** A tool that went, and when, in milliseconds since 1970. */
export interface Gone {
  readonly tool: string;
  readonly namespace: string;
  readonly at: number;
}

export interface RemovalOptions {
  /** How long a removal of many tools at once is held, in milliseconds. */
  readonly hold: number;
  /** This process makes one pass only, so that a failed probe has no second one after it. */
  readonly once: boolean;
  /** Whether the configuration leaves a published tool out. Such a tool goes at once. */
  readonly excluded?: Excluded;
}

/** Whether the operator's configuration leaves a published tool out, as when its detector is switched off. */
export type Excluded = (tool: PublishedTool) => boolean;

const NONE_EXCLUDED: Excluded = () => false;

/** Which tools stay for now, and which go. Times are in milliseconds since 1970. */
export interface Removals {
  readonly held: readonly string[];
  readonly released: readonly Loss[];
  /** When the last of them may go. */
  readonly until: number | undefined;
  /** Milliseconds until the first of them may go. */
  readonly due: number | undefined;
  /** What is to be remembered with what is published. */
  readonly note: string | undefined;
  /** The same of all that is lost, for when all of it stays: else the time of what may go would begin anew. */
  readonly noteOfAll: string | undefined;
}

/** Fewest tools whose loss is a mass removal, when more than half of all would go. */
const MASS = 3;
/** Fewest tools that may not all go at once. */
const ALL = 2;

/**
 * Longest hold where Kubernetes itself says that nothing is ready: no network, DNS or proxy between us and a backend has
 * a part in that.
 */
const NOT_READY_HOLD = 15_000;

/** How long one failed probe of a process that makes one pass waits for another process to find the same. */
const SECOND_OPINION = 30_000;

/** How many tools with a Service are published, by the Service's namespace, without those that are excluded. */
export function countsOf(published: readonly PublishedTool[], excluded = NONE_EXCLUDED): Map<string, number> {
  const counts = new Map<string, number>();
  for (const tool of published) {
    if (tool.metadata.service === undefined || excluded(tool)) continue;
    const namespace = namespaceOf(tool);
    counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  return counts;
}

const namespaceOf = ({ cluster = HOME_CLUSTER, namespace = '' }: PublishedTool): string =>
  displayNamespace({ cluster, namespace });

const serviceOf = (tool: PublishedTool): string | undefined =>
  tool.metadata.service === undefined ? undefined : `${namespaceOf(tool)}/${tool.metadata.service}`;

/**
 * The published tools that would be removed, except those that a person removes in overrides or by the configuration. A
 * tool with the same endpoint or the same Service under another name is not lost.
 */
export function losses(
  before: readonly PublishedTool[],
  after: readonly PublishedTool[],
  found: FoundTools,
  excluded = NONE_EXCLUDED,
): readonly Loss[] {
  const names = new Set(after.map(({ name }) => name));
  const endpoints = new Set(after.map(({ endpoint }) => endpoint));
  const services = new Set(after.map(serviceOf));
  return before
    .filter((tool) => {
      const service = serviceOf(tool);
      // Without a Service it was added by a person, so a person took it out.
      if (service === undefined || found.usable.has(tool.name) || excluded(tool)) return false;
      return !names.has(tool.name) && !endpoints.has(tool.endpoint) && !services.has(service);
    })
    .map((tool) => ({
      tool: tool.name,
      namespace: namespaceOf(tool),
      cause: found.unusable.get(tool.name) ?? 'gone',
    }));
}

/** Whether so many of all tools at once are rather one fault between us and them than a fault of each. */
const isMass = (lost: number, all: number): boolean =>
  (lost >= MASS && lost * 2 > all) || (lost >= ALL && lost === all);

interface Count {
  readonly lost: number;
  readonly all: number;
}

/**
 * Whether most tools of the cluster are lost, and not only those of one namespace: leaving out any one of the namespaces
 * makes no difference, or nothing would be left of several. So no tenant can hold up removals in other namespaces by
 * removing all of its own tools.
 */
function isOutage(counts: readonly Count[]): boolean {
  const losing = counts.filter(({ lost }) => lost > 0);
  const lost = losing.reduce((sum, count) => sum + count.lost, 0);
  const all = counts.reduce((sum, count) => sum + count.all, 0);
  if (losing.length < 2) return false;
  return lost === all || losing.every((count) => isMass(lost - count.lost, all - count.all));
}

/**
 * The namespaces whose losses are held: those that lose most of their own tools, and in an outage of the whole cluster all
 * of them. Tools removed a short while ago count as lost now, because probes do not all fail in the same second.
 */
function massLosses(
  lost: readonly Loss[],
  all: ReadonlyMap<string, number>,
  gone: readonly Gone[],
): (namespace: string) => boolean {
  const lossesBy = Map.groupBy(lost, ({ namespace }) => namespace);
  const goneBy = Map.groupBy(gone, ({ namespace }) => namespace);
  const names = new Set([...all.keys(), ...lossesBy.keys(), ...goneBy.keys()]);
  const counts = new Map(
    [...names].map((namespace) => {
      const before = goneBy.get(namespace)?.length ?? 0;
      const now = lossesBy.get(namespace)?.length ?? 0;
      return [namespace, { lost: now + before, all: (all.get(namespace) ?? 0) + before }];
    }),
  );
  const everywhere = isOutage([...counts.values()]);
  return (namespace) => {
    const { lost: now, all: before } = counts.get(namespace) ?? { lost: 0, all: 0 };
    return everywhere || isMass(now, before);
  };
}

/** Those of the tools that went of which it is not long ago. */
export const stillGone = (gone: readonly Gone[], now: number, hold: number): readonly Gone[] =>
  gone.filter(({ at }) => at <= now && now - at < hold);

/** How long a tool stays for its cause, in milliseconds. */
function waitOf(cause: Cause, mass: boolean, { hold, once }: RemovalOptions): number {
  if (mass) return cause === 'not ready' ? Math.min(NOT_READY_HOLD, hold) : hold;
  const isProbed = cause === 'unhealthy' || cause === 'contradicted';
  return once && isProbed ? Math.min(SECOND_OPINION, hold) : 0;
}

/** Short for a tool's name: names of many tools would not fit into an annotation. */
const keyOf = (tool: string): string => createHash('sha256').update(tool).digest('hex').slice(0, 8);

const GROUP = /^(\S+Z)((?: [0-9a-f]{8})+)$/;

/** When each tool began to be held, from `TIME KEY KEY; TIME KEY`; what is no such text says nothing. */
function readNote(note: string | undefined): ReadonlyMap<string, number> {
  const since = new Map<string, number>();
  for (const group of (note ?? '').split('; ')) {
    const [, time = '', keys = ''] = GROUP.exec(group) ?? [];
    const at = Date.parse(time);
    if (!Number.isNaN(at)) for (const key of keys.trim().split(' ')) since.set(key, at);
  }
  return since;
}

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
 * Which of the lost tools stay for now, and until when. Each is counted from when it was first missed, by whichever
 * process, so that a hold goes on over restarts and from one run to the next, and ends.
 * @param all how many tools are published, by namespace
 * @param note what was remembered with what is published
 * @param now milliseconds since 1970
 * @param gone tools that went before; those of within the hold count
 */
export function removals(
  lost: readonly Loss[],
  all: ReadonlyMap<string, number>,
  note: string | undefined,
  now: number,
  options: RemovalOptions,
  gone: readonly Gone[] = [],
): Removals {
  const remembered = readNote(note);
  const isMassLoss = massLosses(lost, all, stillGone(gone, now, options.hold));
  // A clock that was ahead when it was written must not make the hold longer; the note has whole seconds.
  const sinceOf = (tool: string): number => Math.min(remembered.get(keyOf(tool)) ?? now, now);
  const inSeconds = (time: number): number => Math.floor(time / 1000) * 1000;
  const held = lost.flatMap(({ tool, namespace, cause }) => {
    const before = remembered.get(keyOf(tool));
    const since = sinceOf(tool);
    // What is held stays so: tools that others add, or that come back, end no hold of those that are still missing.
    const isHeld = before !== undefined && !options.once;
    const until = since + waitOf(cause, isHeld || isMassLoss(namespace), options);
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
