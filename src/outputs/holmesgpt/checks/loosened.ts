import { approvalsIn } from '../../../model/approvals.ts';
import type { Problem } from '../../../model/discovery.ts';
import type { Toolset } from '../../../model/documents.ts';
import { HOME_CLUSTER } from '../../../model/key.ts';
import { type ServiceName, serviceKey } from '../../../model/service.ts';
import { serviceOfHost } from '../../../model/service-host.ts';
import type { Standing } from '../../standing.ts';
import { own } from '../yaml.ts';
import { exceptionsIn } from './approval.ts';
import { isDefault } from './count.ts';
import { entriesIn, type ListedEntry, readableEntries, wantedEntries } from './listed-entries.ts';
import { placeInCluster } from './place.ts';
import { isSwitchedOff, restrictionsIn } from './restrictions.ts';
import { sameServers } from './same-servers.ts';

/** The patterns of the tools before which HolmesGPT asks. */
function patternsOf({ fields }: ListedEntry): readonly string[] {
  const patterns = own(fields, 'approval_required_tools');
  return Array.isArray(patterns) ? patterns.filter((each) => typeof each === 'string') : [];
}

/** The same for an entry of overrides, where an unreadable list means all tools. */
const wantedPatterns = ({ fields }: ListedEntry): readonly string[] =>
  restrictionsIn(fields).approval_required_tools ?? [];

/**
 * Whether HolmesGPT runs tools without asking with the next patterns before which it asks with the standing ones. Patterns
 * that a person wrote are only compared as texts: each of the standing ones must stay.
 */
function isLooser(standing: readonly string[], next: readonly string[]): boolean {
  if (next.includes('*') || standing.every((pattern) => next.includes(pattern))) return false;
  const free = exceptionsIn(standing);
  const later = exceptionsIn(next);
  if (free === undefined || later === undefined) return true;
  const known = new Set(free);
  return later.some((name) => !known.has(name));
}

const namesakes = (entries: readonly ListedEntry[], { section, name }: ListedEntry): readonly ListedEntry[] =>
  entries.filter((each) => each.section === section && each.name === name);

/** The counterparts of an entry in the newest document that has any. */
function newest(
  documents: readonly (readonly ListedEntry[])[],
  counterparts: (entries: readonly ListedEntry[]) => readonly ListedEntry[],
): readonly ListedEntry[] {
  for (const entries of documents) {
    const found = counterparts(entries);
    if (found.length > 0) return found;
  }
  return [];
}

/** Toolsets that HolmesGPT turns on by default, and that other documents mention but the next one does not. */
function unmentioned(others: readonly ListedEntry[], next: readonly ListedEntry[]): readonly ListedEntry[] {
  const there = new Set(next.map(({ name }) => name));
  const names = others.flatMap(({ section, name }) =>
    section === 'toolsets' && isDefault(name) && !there.has(name) ? [name] : [],
  );
  return [...new Set(names)].map((name) => ({
    section: 'toolsets',
    name,
    fields: {},
    hosts: [],
  }));
}

/** The discovered MCP servers whose approval is for other tools than when the newest toolset was made, by Service. */
function reapproved({ overrides, applied }: Standing): (service: Omit<ServiceName, 'cluster'>) => boolean {
  const [now, before] = [approvalsIn(overrides), approvalsIn(applied)];
  return (service) => {
    const key = serviceKey({ cluster: HOME_CLUSTER, ...service });
    return now.get(key)?.tools !== before.get(key)?.tools;
  };
}

/**
 * Why it is unknown which tools an MCP server in the cluster has now, so that HolmesGPT should ask before each of them:
 * `undefined` if the newest toolset shows it. Older toolsets do not count, because the server could have changed since.
 */
function unknownTools(standing: Standing): (entry: ListedEntry) => string | undefined {
  const newest = standing.toolsets.map(readableEntries).find((entries) => entries !== undefined);
  const isReapproved = reapproved(standing);
  return (entry) => {
    const [own = entry.url ?? ''] = entry.hosts;
    if (own === '' || placeInCluster(own) === undefined) return undefined;
    const isPublished =
      newest === undefined || [namesakes, sameServers].some((find) => find(newest, entry).length > 0);
    if (!isPublished && standing.isPartial === true) return undefined;
    if (!isPublished) return 'the current toolset does not have it, so nobody knows which tools it has';
    const service = serviceOfHost(own);
    return service !== undefined && isReapproved(service)
      ? 'overrides.yaml approves other tools of it since'
      : undefined;
  };
}

const RUNS = 'the agent would run some of its tools without asking';

/**
 * The entries with which HolmesGPT would run tools without asking, although it asks before them now, or although it is
 * unknown which tools these are. Each is compared with those of the same name, and with those that lead to the same MCP server under any
 * name, in the newest toolset that has one.
 */
export function loosened(standing: Standing, next: Toolset): readonly Problem[] {
  const earlier = standing.toolsets.map(entriesIn);
  const wanted = wantedEntries(standing.overrides);
  const unknown = unknownTools(standing);
  const there = entriesIn(next);
  const all = [...there, ...unmentioned([...(earlier[0] ?? []), ...wanted], there)];
  const problems = all.flatMap((entry): Problem[] => {
    if (isSwitchedOff(entry.fields)) return [];
    const patterns = patternsOf(entry);
    const asks = (all: readonly (readonly string[])[]): boolean =>
      all.some((each) => isLooser(each, patterns));
    const asksIn = (documents: readonly (readonly ListedEntry[])[]): boolean =>
      [namesakes, sameServers].some((counterparts) =>
        asks(newest(documents, (entries) => counterparts(entries, entry)).map(patternsOf)),
      );
    const isAsked = [namesakes, sameServers].some((counterparts) =>
      asks(counterparts(wanted, entry).map(wantedPatterns)),
    );
    const why = isAsked
      ? 'overrides.yaml wants it to ask'
      : asksIn(earlier.slice(0, 1))
        ? 'asks before them now'
        : asksIn(earlier)
          ? 'asked before them when it was published last'
          : patterns.includes('*')
            ? undefined
            : unknown(entry);
    return why === undefined ? [] : [{ where: entry.name, what: `${RUNS}, and ${why}` }];
  });
  return [...new Map(problems.map((problem) => [problem.where, problem])).values()];
}
