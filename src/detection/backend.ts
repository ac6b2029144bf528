import { type BackendMember, byAge } from '../model/backend-id.ts';
import type { Detector } from '../model/detector.ts';
import {
  type Candidate,
  type Endpoint,
  type Evidence,
  endpointUrl,
  type Problem,
} from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import { objectName } from '../model/part.ts';
import { defaultName, type Service } from '../model/service.ts';
import { type Tenancy, tenantPath } from '../model/tenants.ts';
import { withoutTrailing } from '../model/trailing.ts';
import { bundledWith } from './bundled.ts';
import type { Match } from './evaluate.ts';
import type { Group } from './group.ts';
import { matchService } from './match.ts';
import type { Neighbours, Sharing } from './neighbours.ts';
import { type AddressOptions, readAnnotations, requestedName, type ServiceAnnotations } from './owner.ts';
import { chooseScheme } from './port.ts';
import type { Rules } from './rules.ts';
import { podsWithin } from './selection.ts';
import { wordsOf } from './words.ts';

/** Maximum labels, and maximum selector entries, of a Service to read words from. */
const MAX_ENTRIES = 50;

function wordsIn(service: Service): Set<string> {
  const texts = [service.labels, service.selector].flatMap((of) => Object.values(of).slice(0, MAX_ENTRIES));
  return new Set([service.name, ...texts].flatMap((text) => wordsOf(text)));
}

/** The first of a detector's base paths whose words and conditions match a Service. */
function placeOf(service: Service, detector: Detector): Detector['paths'][number] | undefined {
  const words = detector.paths.some((place) => place.words.length > 0) ? wordsIn(service) : new Set();
  return detector.paths.find(
    (place) =>
      place.words.every((word) => words.has(word)) &&
      (place.when === undefined || matchService(service, place.when) !== undefined),
  );
}

/**
 * Maximum entry points per backend that become candidates: half of them the best, half the oldest, because an old one may
 * be in use or named by overrides. Only a few are probed.
 */
const MAX_ENTRY_POINTS = 100;

/** The Services of a group that become candidates, best first. */
function limitEntryPoints(group: readonly Match[]): readonly Match[] {
  if (group.length <= MAX_ENTRY_POINTS) return group;
  const made = ({ service }: Match): string => service.created ?? '~';
  const oldest = group.toSorted((a, b) => (made(a) < made(b) ? -1 : made(a) > made(b) ? 1 : 0));
  const kept = new Set([...group.slice(0, MAX_ENTRY_POINTS / 2), ...oldest.slice(0, MAX_ENTRY_POINTS / 2)]);
  return group.filter((match) => kept.has(match));
}

/** The inputs of a backend. While they are unchanged, so is the backend. */
interface BackendInputs {
  readonly group: Group;
  readonly options: AddressOptions;
  /** The Services that become candidates, each with those that share Pods with it. */
  readonly ways: readonly (readonly [match: Match, sharing: Sharing])[];
}

interface BuiltBackend extends BackendInputs {
  readonly candidate: Candidate | undefined;
  readonly problems: readonly Problem[];
}

const sameIngredients = (one: BackendInputs, other: BackendInputs): boolean =>
  one.options.clusterDomain === other.options.clusterDomain &&
  one.options.allowedHosts === other.options.allowedHosts &&
  one.group.length === other.group.length &&
  one.ways.length === other.ways.length &&
  one.group.every((match, index) => match === other.group[index]) &&
  one.ways.every(([match, sharing], index) => {
    const [otherMatch, otherSharing] = other.ways[index] ?? [];
    return match === otherMatch && sharing === otherSharing;
  });

/** Builds the candidates of groups. An unchanged group gets the same object again, so later stages can skip it. */
export class BackendBuilder {
  readonly #rules: Rules;
  /** By the best entry point. */
  readonly #made = new WeakMap<Match, BuiltBackend>();

  constructor(rules: Rules) {
    this.#rules = rules;
  }

  /** The candidate of a group with its fallbacks, and problems with its annotations. */
  build(
    group: Group,
    {
      approved,
      neighbours,
      options,
    }: {
      readonly approved: ReadonlySet<Match>;
      readonly neighbours: Neighbours;
      readonly options: AddressOptions;
    },
  ): { readonly candidate: Candidate | undefined; readonly problems: readonly Problem[] } {
    // An approval holds only for the Service that it names, so the other Services are no entry points.
    const usable = approved.has(group[0]) ? group.filter((match) => approved.has(match)) : group;
    const ways = limitEntryPoints(usable).map((match) => [match, neighbours.of(match.service)] as const);
    const ingredients = { group, options, ways };
    const known = this.#made.get(group[0]);
    if (known !== undefined && sameIngredients(known, ingredients)) return known;
    const made = { ...ingredients, ...backendOf(ingredients, this.#rules) };
    this.#made.set(group[0], made);
    return made;
  }
}

function backendOf(
  { group, ways, options }: BackendInputs,
  rules: Rules,
): Pick<BuiltBackend, 'candidate' | 'problems'> {
  const members = group.map(({ service }) => service).sort((a, b) => (a.name < b.name ? -1 : 1));
  const known = group.map(backendMember).sort(byAge);
  const shown = displayNames(group);
  const usable: Candidate[] = [];
  let problems: readonly Problem[] = [];
  for (const [match, sharing] of ways) {
    const { candidate, word } = candidateOf(match, members, rules, options);
    if (usable.length === 0) problems = [...problems, ...word.problems];
    if (word.refused) continue;
    const own = candidate.displayName === undefined ? [] : [candidate.displayName];
    usable.push({
      ...candidate,
      displayNames: [...new Set([...own, ...shown])],
      ...sharedPodsOf(members, sharing),
      members: known,
    });
  }
  const [best, ...fallbacks] = usable;
  if (best === undefined || best.alternates.length === 0) return { candidate: best, problems };
  const detail = `leads to the same backend as ${best.alternates.join(', ')}, and is the better entry point`;
  const evidence: Evidence[] = [...best.evidence, { signal: 'group', detail }];
  return { candidate: { ...best, fallbacks, evidence }, problems };
}

const backendMember = ({ service: { name, created }, roles }: Match): BackendMember => ({
  name,
  roles,
  ...(created === undefined ? {} : { created }),
});

/** The Services that share Pods with an entry point, and the cluster IPs of all of them. */
function sharedPodsOf(
  members: readonly Service[],
  { names, clusterIPs }: Sharing,
): Pick<Candidate, 'sharesPods' | 'clusterIPs'> {
  const others = members.flatMap(({ name, clusterIPs: own }) =>
    own === undefined || clusterIPs[name] !== undefined ? [] : [[name, own] as const],
  );
  const all = others.length === 0 ? clusterIPs : { ...Object.fromEntries(others), ...clusterIPs };
  return {
    ...(names.length < 2 ? {} : { sharesPods: names }),
    ...(Object.keys(all).length === 0 ? {} : { clusterIPs: all }),
  };
}

/** @param members all Services that lead to the same backend */
function candidateOf(
  chosen: Match,
  members: readonly Service[],
  rules: Rules,
  options: AddressOptions,
): { readonly candidate: Candidate; readonly word: ServiceAnnotations } {
  const { service } = chosen;
  const word = readAnnotations(service, (chosen.owner ?? chosen.compiled).detector, options);
  const known = word.type === undefined ? undefined : rules.byType.get(word.type)?.detector;
  const detector = known ?? chosen.compiled.detector;
  const evidence: Evidence[] = [...chosen.evidence];

  const host = `${objectName(service)}.${service.namespace}.svc.${options.clusterDomain}`;
  const place = placeOf(service, detector);
  let endpoint: Endpoint;
  let tenancy: Tenancy | undefined = tenancyOf(detector);
  const { paths = {} } = rules.byType.get(detector.type)?.options ?? {};
  const configured = paths[displayKey(service)];
  if (word.endpoint !== undefined) {
    endpoint = { host, ...word.endpoint };
    if (configured !== undefined) endpoint = { ...endpoint, path: withoutTrailing(configured, '/') };
    evidence.push({ signal: 'path', detail: `its annotation names ${endpointUrl(endpoint)}` });
  } else if (detector.transport === 'tcp') {
    endpoint = { scheme: 'tcp', host, port: chosen.port.port, path: '' };
  } else {
    const { scheme, detail } =
      place?.scheme === undefined
        ? chooseScheme(service, chosen.port.source)
        : { scheme: place.scheme, detail: 'its annotation' };
    if (detail !== undefined) evidence.push({ signal: 'scheme', detail: `${detail}, so ${scheme}` });
    const given = configured ?? word.path ?? paths['*'];
    const ids = given === undefined ? place?.tenants : undefined;
    const path = withoutTrailing(given ?? tenantPath(place?.path ?? '', ids?.[0] ?? ''), '/');
    if (place !== undefined && ids !== undefined) tenancy = { path: place.path, ids };
    const whoServes =
      detector.mcp === true ? 'MCP servers serve their API' : `${detector.title} serves its API`;
    if (path !== '') evidence.push({ signal: 'path', detail: `${path} (where ${whoServes})` });
    endpoint = { scheme, host, port: chosen.port.port, path };
  }
  const bundle = bundledWith(service, detector, rules.vocabulary);
  if (bundle !== undefined)
    evidence.push({ signal: 'group', detail: `bundled with ${bundle}, so others come first` });
  const others = members.filter(({ name }) => name !== service.name);
  // If its annotation names another host, the Pods of its selector are not behind it.
  const samePods = endpoint.host === host ? others.filter((other) => podsWithin(service, other)) : [];
  return {
    word,
    candidate: {
      service,
      type: word.type ?? detector.type,
      detector: detector.type,
      tool: defaultName(service),
      displayName: word.name,
      kind: detector.description,
      description: word.description ?? describedAs(detector, bundle),
      tenantDescription: word.description !== undefined,
      endpoint,
      servicePort: word.endpoint?.port ?? chosen.port.source.port,
      usualPorts: detector.ports.numbers,
      mode: place?.mode ?? 'streamable-http',
      healthPath: word.healthPath ?? rules.byType.get(detector.type)?.options.healthPath,
      certainty: chosen.certainty,
      evidence,
      alternates: others.map(({ name }) => name),
      samePods: samePods.map(({ name }) => name),
      fallbacks: [],
      mappings: detector.outputs,
      mcp: detector.mcp,
      tenancy,
      ...(bundle === undefined ? {} : { bundledWith: bundle }),
    },
  };
}

/** The description of a backend that its owner does not describe. */
const describedAs = ({ description }: Detector, bundle: string | undefined): string =>
  bundle === undefined ? description : `${description}; bundled with ${bundle}`;

/** How requests to backends of a kind name their tenant. */
export function tenancyOf({ probe: { tenant } }: Detector): Tenancy | undefined {
  return tenant === undefined ? undefined : { header: tenant.header };
}

/** The distinct display names that owners of a group's Services request. */
function displayNames(group: Group): string[] {
  const names = group.map(({ service, owner, compiled }) =>
    requestedName(service, (owner ?? compiled).detector),
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

/**
 * Changes the type or endpoint of a candidate to what its responses proved.
 * @param detector type of the detector whose proof held
 */
export function retyped(
  candidate: Candidate,
  rules: Rules,
  detector: string,
  place: Pick<Endpoint, 'path' | 'scheme' | 'port'>,
): Candidate {
  const endpoint = { ...candidate.endpoint, ...place };
  const proven = rules.byType.get(detector)?.detector;
  if (proven === undefined || detector === candidate.detector) return { ...candidate, endpoint };
  return {
    ...candidate,
    endpoint,
    type: proven.type,
    detector: proven.type,
    kind: proven.description,
    usualPorts: proven.ports.numbers,
    description: candidate.tenantDescription
      ? candidate.description
      : describedAs(proven, candidate.bundledWith),
    mappings: proven.outputs,
    mcp: proven.mcp,
    tenancy: tenancyOf(proven),
  };
}
