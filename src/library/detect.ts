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
import { isMapping, type Mapping } from '../model/mapping.ts';
import type { Service } from '../model/service.ts';
import { serviceFromObject } from '../sources/service-object.ts';
import { toBackend } from './backend.ts';
import { overridesOf, rulesOf } from './inputs.ts';
import { checkList, checkOptions } from './options.ts';
import type { DetectOptions, DetectResult, ServiceObject, ServiceObjectList } from './types.ts';

/** A backend without entry points that are only hints: nothing proves them without probes. `undefined` if none is left. */
function withoutHints(candidate: Candidate): Candidate | undefined {
  const all = [candidate, ...candidate.fallbacks];
  const [best, ...fallbacks] = all.filter(({ certainty }) => certainty !== 'hint');
  return best && { ...best, fallbacks };
}

/** Converts the creation time to a string as in JSON. Kubernetes clients parse it to a date. */
function asJson(object: Mapping): Mapping {
  const { metadata } = object;
  if (!isMapping(metadata) || !(metadata.creationTimestamp instanceof Date)) return object;
  const created = metadata.creationTimestamp.toISOString().replace(/\.\d+Z$/, 'Z');
  return { ...object, metadata: { ...metadata, creationTimestamp: created } };
}

function servicesOf(
  objects: Iterable<unknown>,
  namespace: string,
  rules: Rules,
  problems: Problem[],
): Service[] {
  const interest = interestOf(rules);
  const services: Service[] = [];
  for (const [index, object] of [...objects].entries()) {
    if (isMapping(object) && object.kind !== undefined && object.kind !== 'Service') continue;
    const service = isMapping(object)
      ? serviceFromObject(asJson(object), namespace, interest)
      : 'it is not an object';
    if (typeof service !== 'string') services.push(service);
    else
      problems.push({
        where: `object ${index}`,
        what: `a Service is skipped: ${service}`,
        fix: 'pass it as kubectl get -o json prints it',
      });
  }
  return services;
}

/**
 * Finds the backends among Services: the product of each, the evidence, and the endpoint. It sends no requests, reads no
 * files, and does not throw on any content of a Service. The order of Services does not matter.
 *
 * A Service that only resembles a product is left out, as with `dynamic-toolset discover --probe none`, because only a
 * probe can prove it.
 * @param services the objects, or a list as `kubectl get services -A -o json` prints it; objects of other kinds are skipped
 * @throws InputError if an option is invalid, or `services` is no list
 * @example
 * const { backends } = detect(JSON.parse(await readFile('services.json', 'utf8')));
 * for (const { type, endpoint, certainty } of backends) console.log(type, endpoint, certainty);
 */
export function detect(
  services: Iterable<ServiceObject> | ServiceObjectList,
  options: DetectOptions = {},
): DetectResult {
  checkOptions(options);
  const objects: unknown = isMapping(services) && 'items' in services ? services.items : services;
  checkList(objects, 'services', 'Services, or a list of them with items');
  const { clusterDomain = SETTINGS.clusterDomain.defaultValue, defaultNamespace = 'default' } = options;
  const { allowedHosts = [], allowExternalNames = false } = options;
  const overrides = overridesOf(options);
  const { rules, problems: broken } = rulesOf(options);
  const problems: Problem[] = [...broken];
  const detected = detectAll(
    servicesOf(objects as Iterable<unknown>, defaultNamespace, rules, problems),
    rules,
    {
      clusterDomain,
      allowedHosts: allowedHosts.map((host) => host.toLowerCase()),
      allowExternalNames,
      approvals: approvalsIn(overrides),
    },
  );
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
