import type { Problem } from '../../../model/discovery.ts';
import type { Toolset } from '../../../model/documents.ts';
import { isMapping, type Mapping } from '../../../model/mapping.ts';
import { addressesOf, carriesCredentials } from '../contract/shape.ts';
import { own } from '../yaml.ts';
import { entriesIn, type ListedEntry } from './listed-entries.ts';
import { placeInCluster } from './place.ts';

/** Credentials that go to one place. */
interface Sent {
  /** As `placeInCluster` says, `SEARCHED` or `PROGRAM`. */
  readonly place: string;
  /** Values of fields that carry credentials, as JSON. */
  readonly values: readonly string[];
}

/** Places that no address names: the backend that HolmesGPT looks for itself, and a program that it runs. */
const SEARCHED = '?search';
const PROGRAM = '?program';

/** Keys of what HolmesGPT runs: an MCP server of its own, or the tools of a person's toolset. */
const PROGRAM_KEYS = new Set(['command', 'args', 'script', 'env']);

/** The configurations in an entry, each with all that goes to its addresses. */
function connectionsOf({ fields }: ListedEntry): readonly Mapping[] {
  if (fields === null) return [];
  const config = own(fields, 'config');
  if (!isMapping(config)) return [fields];
  const isList = (value: unknown): value is readonly Mapping[] =>
    Array.isArray(value) && value.length > 0 && value.every(isMapping);
  const common = Object.fromEntries(Object.entries(config).filter(([, value]) => !isList(value)));
  const listed = Object.values(config).filter(isList).flat();
  return listed.length === 0 ? [{ ...fields, ...config }] : listed.map((each) => ({ ...common, ...each }));
}

const leaves = (value: unknown): readonly unknown[] =>
  isMapping(value) || Array.isArray(value) ? Object.values(value).flatMap(leaves) : [value];

const asText = (value: unknown): string => JSON.stringify(value) ?? '';

/** The texts with which programs are run, anywhere in a value. */
function programsIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value.flatMap(programsIn);
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, each]) =>
    PROGRAM_KEYS.has(key) ? leaves(each) : programsIn(each),
  );
}

/** Parts of a URL that may be credentials: a login, a query and a fragment. */
function secretsIn(address: string): readonly string[] {
  const { username = '', password = '', search = '', hash = '' } = URL.parse(address) ?? {};
  return [username, password, search, hash].filter((part) => part !== '');
}

function sentBy(entry: ListedEntry): readonly Sent[] {
  const programs = programsIn(entry.fields).map(asText);
  const run = programs.length === 0 ? [] : [{ place: PROGRAM, values: programs }];
  const sent = connectionsOf(entry).flatMap((connection) => {
    const addresses = addressesOf(connection);
    const values = [
      ...Object.entries(connection)
        .filter(([field, value]) => field !== 'config' && carriesCredentials(field, value))
        .flatMap(([, value]) => leaves(value)),
      ...addresses.flatMap(secretsIn),
    ].map(asText);
    if (values.length === 0) return [];
    const places =
      addresses.length === 0 ? [SEARCHED] : addresses.flatMap((each) => placeInCluster(each) ?? []);
    return [...new Set(places)].map((place) => ({ place, values }));
  });
  return [...run, ...sent];
}

function problemOf({ name }: ListedEntry, { place }: Sent): Problem {
  const neither = 'neither what is published nor the settings do';
  if (place === PROGRAM)
    return { where: name, what: `the agent would run a program, with its arguments, and ${neither}` };
  const target = place === SEARCHED ? 'a backend that it looks for itself' : place;
  return { where: name, what: `the agent would send credentials to ${target}, and ${neither}` };
}

/** The credentials that go to each place. */
function byPlace(toolset: Toolset): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>();
  for (const { place, values } of entriesIn(toolset).flatMap(sentBy))
    known.set(place, new Set([...(known.get(place) ?? []), ...values]));
  return known;
}

/**
 * The entries with which HolmesGPT would send credentials to a place in the cluster to which neither toolset sends them: a
 * person may have withdrawn them, or the Service may lead elsewhere since.
 * @param published what the inputs produced last
 * @param generated what the settings and overrides of now produce for the same Services
 */
export function unpaired(next: Toolset, published: Toolset, generated: () => Toolset): readonly Problem[] {
  const isIn =
    (known: ReadonlyMap<string, ReadonlySet<string>>) =>
    ({ place, values }: Sent): boolean =>
      values.every((value) => known.get(place)?.has(value) === true);
  const isPublished = isIn(byPlace(published));
  const unknown = entriesIn(next).flatMap((entry) =>
    sentBy(entry)
      .filter((sent) => !isPublished(sent))
      .map((sent) => ({ entry, sent })),
  );
  if (unknown.length === 0) return [];
  const isPaired = isIn(byPlace(generated()));
  return unknown.filter(({ sent }) => !isPaired(sent)).map(({ entry, sent }) => problemOf(entry, sent));
}
