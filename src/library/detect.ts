import { SETTINGS } from '../config/setting-table.ts';
import { orderEntryPoints } from '../controller/entry-points.ts';
import { namingBy } from '../controller/naming.ts';
import { detect as detectAll } from '../detection/detect.ts';
import { interestOf } from '../detection/interest.ts';
import { limitCandidates } from '../detection/limit-candidates.ts';
import { assignNames } from '../detection/names.ts';
import type { Rules } from '../detection/rules.ts';
import { approvalsIn } from '../model/approvals.ts';
import type { Candidate, Problem } from '../model/discovery.ts';
import type { Interest } from '../model/interest.ts';
import { isMapping, type Mapping } from '../model/mapping.ts';
import type { Service } from '../model/service.ts';
import { serviceFromObject } from '../sources/service-object.ts';
import { toBackend } from './backend.ts';
import { overridesOf, rulesOf } from './inputs.ts';
import { readOptions } from './options.ts';
import { reading, readList } from './reading.ts';
import type { DetectOptions, DetectResult, ServiceObject, ServiceObjectList } from './types.ts';

const LIST = { most: 100_000, expected: 'Services, or a list of them with items' };

/** A backend without entry points that are only hints: nothing proves them without probes. `undefined` if none is left. */
function withoutHints(candidate: Candidate): Candidate | undefined {
  const all = [candidate, ...candidate.fallbacks];
  const [best, ...fallbacks] = all.filter(({ certainty }) => certainty !== 'hint');
  return best && { ...best, fallbacks };
}

/** Converts a time to a string as in JSON. Kubernetes clients parse it to a date. */
const timeText = (time: unknown): unknown =>
  time instanceof Date ? time.toISOString().replace(/\.\d+Z$/, 'Z') : time;

/** Converts the times of an object. */
function asJson(object: Mapping): Mapping {
  const { metadata } = object;
  if (!isMapping(metadata)) return object;
  const { creationTimestamp, deletionTimestamp } = metadata;
  if (!(creationTimestamp instanceof Date || deletionTimestamp instanceof Date)) return object;
  const times = {
    creationTimestamp: timeText(creationTimestamp),
    deletionTimestamp: timeText(deletionTimestamp),
  };
  return { ...object, metadata: { ...metadata, ...times } };
}

/** Converts an object. @returns the Service, why it is none, or `undefined` for an object of another kind */
function serviceOf(object: unknown, namespace: string, interest: Interest): Service | string | undefined {
  // Getters may throw, and even to look at a proxy.
  try {
    if (!isMapping(object)) return 'it is not an object';
    const { kind = 'Service' } = object;
    return kind === 'Service' ? serviceFromObject(asJson(object), namespace, interest) : undefined;
  } catch {
    return 'it throws an error when it is read';
  }
}

function servicesOf(
  objects: readonly unknown[],
  namespace: string,
  rules: Rules,
  problems: Problem[],
): Service[] {
  const interest = interestOf(rules);
  return objects.flatMap((object, index) => {
    const service = serviceOf(object, namespace, interest);
    if (typeof service !== 'string') return service ?? [];
    problems.push({
      where: `object ${index}`,
      what: `a Service is skipped: ${service}`,
      fix: 'pass it as kubectl get -o json prints it',
    });
    return [];
  });
}

/**
 * Finds the backends among Services: the product of each, the evidence, and the endpoint. It sends no requests, reads no
 * files, and does not throw on any content of a Service. The order of Services does not matter.
 *
 * A Service that only resembles a product is left out, as with `dynamic-toolset discover --probe none`, because only a
 * probe can prove it.
 * @param services the objects, or a list as `kubectl get services -A -o json` prints it; objects of other kinds are skipped
 * @throws InputError if an option is invalid, or `services` is no list, has more than 100,000 items, or throws
 * @example
 * const { backends } = detect(JSON.parse(await readFile('services.json', 'utf8')));
 * for (const { type, endpoint, certainty } of backends) console.log(type, endpoint, certainty);
 */
export function detect(
  services: Iterable<ServiceObject> | ServiceObjectList,
  options: DetectOptions = {},
): DetectResult {
  const { clusterDomain, defaultNamespace, allowedHosts, allowExternalNames, ...inputs } =
    readOptions(options);
  const given = reading('services', () =>
    isMapping(services) && 'items' in services ? services.items : services,
  );
  const objects = readList('services', given, LIST);
  const overrides = overridesOf(inputs);
  const { rules, problems: broken } = rulesOf(inputs);
  const problems: Problem[] = [...broken];
  const detected = detectAll(servicesOf(objects, defaultNamespace, rules, problems), rules, {
    clusterDomain,
    allowedHosts: allowedHosts.flat(),
    allowExternalNames,
    approvals: approvalsIn(overrides),
  });
  const naming = namingBy(overrides, {});
  const { candidates, problems: told } = limitCandidates(detected, SETTINGS.maxBackends.defaultValue, {
    approvals: approvalsIn(overrides),
    named: naming.named,
  });
  const standing = {
    inUse: new Set<never>(),
    companions: new Map(),
    named: naming.named,
    now: performance.now(),
  };
  const ways = candidates
    .flatMap((candidate) => withoutHints(candidate) ?? [])
    .map((candidate) => orderEntryPoints(candidate, standing));
  const named = assignNames(ways, { held: new Map(), reserved: naming.reserved });
  return {
    backends: named.candidates.map(toBackend),
    problems: [...problems, ...told, ...named.problems],
  };
}
