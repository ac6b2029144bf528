import { displayNamespace, HOME_CLUSTER, readKey } from '../model/key.ts';
import { isServiceName } from '../model/part.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { defaultName, type ServiceKey, type ServiceName, serviceKey } from '../model/service.ts';
import {
  type NamespacedNote,
  type NoteEntry,
  type NotePart,
  noteEntries,
  noteOf,
} from './namespaced-note.ts';

/** Most other Services that are stored for one entry point. */
const MOST_OTHERS = 16;
/**
 * Most bytes of the annotation for Services that tools do not show, for the age of those that they do show, for deleted ones,
 * and for names.
 */
const BYTES_FOR_UNTOLD = 16 * 1024;
const BYTES_FOR_AGED = 16 * 1024;
const BYTES_FOR_GONE = 24 * 1024;
const BYTES_FOR_NAMES = 24 * 1024;
/** The part of these for those that were in use longest, in all namespaces. */
const FOR_LONGEST = 1 / 2;

/** An entry point in use. */
export interface ServiceInUse {
  readonly service: ServiceName;
  /** The name of its tool. */
  readonly tool: string;
  /** The other Services of its backend that may take its place. */
  readonly others: readonly string[];
  /** Those that take its place back; absent: none. */
  readonly owners?: readonly string[] | undefined;
  /** When it was found to be gone, in seconds since 1970, and how many seconds it had been in use; absent: it exists. */
  readonly gone?: { readonly at: number; readonly used: number } | undefined;
  /** When it came into use, in seconds since 1970; absent: when its Service was created, or unknown. */
  readonly since?: number | undefined;
  /** When its Service was created, as its tool says, RFC 3339; absent: unknown. */
  readonly created?: string | undefined;
}

/** A requested name that is kept for a backend. */
export interface StoredName {
  readonly name: string;
  readonly cluster: string;
  readonly namespace: string;
  /** The names of its Services. */
  readonly members: readonly string[];
  /** When it was last asked for, in seconds since 1970, and for how many seconds it was; absent: it is asked for now. */
  readonly gone: { readonly at: number; readonly used: number } | undefined;
}

/** In place of the time at which a Service was gone. */
const EXISTS = 0;

/** Marks a name. No Service has such a name. */
const NAME = '@';

/** The entry points of published tools. */
function entryPointsOf(tools: readonly PublishedTool[]): ServiceInUse[] {
  return tools.flatMap(({ name, cluster = HOME_CLUSTER, namespace, metadata }) => {
    if (namespace === undefined || metadata.service === undefined) return [];
    const { service, alternates = '' } = metadata;
    return {
      service: { cluster, namespace, name: service },
      tool: name,
      others: alternates.split(',').filter((each) => each !== ''),
      created: metadata.created,
    };
  });
}

/**
 * The annotation for entry points in use that published tools do not show, because their backends are unhealthy or deleted
 * now, or whose Services were created again, or that they show with other Services than may take their place; and for names.
 * Each of these has room of its own, half of it for those that were in use longest, and half of it shared by namespaces.
 * @param inUse those that were in use longest first
 * @param names those that were had longest first
 */
export function inUseNote(
  inUse: readonly ServiceInUse[],
  tools: readonly PublishedTool[],
  names: readonly StoredName[] = [],
): NamespacedNote {
  const told = new Map(entryPointsOf(tools).map((each) => [serviceKey(each.service), each]));
  const entryOf = ({ service, tool, others, gone, since, owners }: ServiceInUse): NoteEntry<unknown> => ({
    namespace: displayNamespace(service),
    key: service.name,
    value: [
      tool === defaultName(service) ? '' : tool,
      ...(gone === undefined ? [] : [gone.at, gone.used]),
      ...(since === undefined ? [] : [EXISTS, since]),
      ...others.slice(0, MOST_OTHERS),
      ...(owners === undefined ? [] : [owners.slice(0, MOST_OTHERS)]),
    ],
  });
  const isToldAs = ({ service, others, owners }: ServiceInUse): boolean => {
    if (owners !== undefined) return false;
    const known = told.get(serviceKey(service))?.others;
    const may = new Set(others);
    return known !== undefined && known.length === may.size && known.every((name) => may.has(name));
  };
  const existing = inUse.filter(({ gone }) => gone === undefined);
  const untold = existing.filter((each) => !isToldAs(each));
  const aged = existing.filter((each) => each.since !== undefined && isToldAs(each));
  const deleted = inUse.filter(({ gone }) => gone !== undefined);
  const part = (entries: readonly NoteEntry<unknown>[], most: number): NotePart => ({
    ...{ entries, most, forFirst: most * FOR_LONGEST },
  });
  const kept = names.map(({ name, gone: asked, members, ...place }) => ({
    namespace: displayNamespace(place),
    key: `${NAME}${name}`,
    value: [asked?.at ?? 0, asked?.used ?? 0, ...members.slice(0, MOST_OTHERS)],
  }));
  return noteOf([
    part(untold.map(entryOf), BYTES_FOR_UNTOLD),
    part(aged.map(entryOf), BYTES_FOR_AGED),
    part(deleted.map(entryOf), BYTES_FOR_GONE),
    part(kept, BYTES_FOR_NAMES),
  ]);
}

/** The entry points in use according to what is published. @param note the annotation */
export function publishedInUse(
  tools: readonly PublishedTool[],
  note: string | undefined,
): readonly ServiceInUse[] {
  const published = new Map(entryPointsOf(tools).map((each) => [serviceKey(each.service), each]));
  // Those of the annotation come first, so that they have room in it again.
  const known = new Map<ServiceKey, ServiceInUse>();
  for (const { namespace, key, value } of noteEntries(note)) {
    if (!isServiceName(key) || !Array.isArray(value)) continue;
    const service = readKey(`${namespace}/${key}`);
    const shown = published.get(serviceKey(service));
    const [name, ...more] = value;
    const [at, used]: unknown[] = more;
    const times = typeof at === 'number' && typeof used === 'number' ? { at, used } : undefined;
    const others = times === undefined ? more : more.slice(2);
    const tool = shown?.tool ?? (name === '' ? defaultName(service) : name);
    if (typeof tool !== 'string') continue;
    const owners = others.find((each): each is unknown[] => Array.isArray(each));
    known.set(serviceKey(service), {
      service,
      tool,
      others: others.slice(0, MOST_OTHERS).filter(isServiceName),
      created: shown?.created,
      ...(owners === undefined ? {} : { owners: owners.slice(0, MOST_OTHERS).filter(isServiceName) }),
      ...(times === undefined ? {} : times.at === EXISTS ? { since: times.used } : { gone: times }),
    });
  }
  for (const [key, each] of published) if (!known.has(key)) known.set(key, each);
  return [...known.values()];
}

/** The kept names of an annotation. */
export function storedNames(note: string | undefined): readonly StoredName[] {
  return noteEntries(note).flatMap(({ namespace, key, value }) => {
    if (!key.startsWith(NAME) || !Array.isArray(value)) return [];
    const [at, used, ...members]: unknown[] = value;
    if (typeof at !== 'number' || typeof used !== 'number') return [];
    const { cluster, namespace: place } = readKey(`${namespace}/x`);
    return {
      name: key.slice(NAME.length),
      cluster,
      namespace: place,
      members: members.slice(0, MOST_OTHERS).filter(isServiceName),
      gone: at === 0 ? undefined : { at, used },
    };
  });
}
