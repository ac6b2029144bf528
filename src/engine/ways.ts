import type { Rules } from '../detect/rules.ts';
import type { Candidate, Verdict } from '../model/discovery.ts';
import { publishedTools } from '../model/published-tools.ts';
import { type ServiceKey, serviceKey } from '../model/service.ts';

/** The Services that are in use as ways into their backends. */
export type InUse = ReadonlySet<ServiceKey>;

/** The ways that a published `toolset.json` uses; none where the text is something else. */
export function publishedWays(text: string | undefined): InUse {
  const keys = publishedTools(text).flatMap(({ namespace, metadata: { service } }) =>
    namespace === undefined || service === undefined ? [] : serviceKey({ namespace, name: service }),
  );
  return new Set(keys);
}

/** Most ways into one backend that are asked. */
const MOST_WAYS = 4;

/**
 * A backend with the Services first that people name: what they wrote of a Service is for that one, and not for another
 * that leads to the same backend, or says so. Only a few ways are left.
 */
export function namedFirst(candidate: Candidate, named: ReadonlySet<ServiceKey>): Candidate {
  const isNamed = ({ service }: Candidate): boolean => named.has(serviceKey(service));
  const others = candidate.fallbacks;
  const first = isNamed(candidate) ? candidate : others.find(isNamed);
  if (first === undefined || first === candidate)
    return others.length < MOST_WAYS
      ? candidate
      : { ...candidate, fallbacks: others.slice(0, MOST_WAYS - 1) };
  const rest = [candidate, ...others].filter((way) => way !== first);
  const detail = `leads to the same backend as ${first.alternates.join(', ')}, and a person named it`;
  return {
    ...first,
    fallbacks: [...rest.filter(isNamed), ...rest.filter((way) => !isNamed(way))]
      .slice(0, MOST_WAYS - 1)
      .map((way) => ({
        ...way,
        fallbacks: [],
        evidence: way.evidence.filter(({ signal }) => signal !== 'group'),
      })),
    evidence: [...first.evidence, { signal: 'group', detail }],
  };
}

/** A way that was asked, and what it answered. */
export interface Asked {
  readonly way: Candidate;
  readonly verdict: Verdict;
}

/** Is there a reason against using a way? That nothing can be said of it is none, unless only a hint speaks for it. */
const fails = ({ way, verdict }: Asked): boolean =>
  verdict.health === 'unhealthy' ||
  verdict.proof === 'contradicted' ||
  (way.certainty === 'hint' && verdict.proof !== 'proven');

/** It could not be reached, as many others: another way may be. */
const isLost = ({ verdict }: Asked): boolean => verdict.health === 'unknown' && verdict.fault !== undefined;

const works = (asked: Asked): boolean => asked.verdict.health === 'healthy' && !fails(asked);

/** Can a backend of this kind prove what it is? */
function canProve({ detector }: Candidate, rules: Rules): boolean {
  const probe = rules.byType.get(detector)?.detector.probe;
  return probe !== undefined && (probe.protocol !== 'http' || probe.proofs.length > 0);
}

/**
 * Asks the ways into one backend until one can be used. The preferred one is asked first, and is taken as soon as it has
 * proven itself. Until then the one in use stays, as long as it does not fail. Where it fails, the others are asked in order.
 * @param candidate the preferred way, with the others as its fallbacks
 * @returns all that were asked, the one to use last
 */
export async function askWays(
  candidate: Candidate,
  inUse: InUse,
  rules: Rules,
  ask: (way: Candidate) => Promise<Verdict>,
): Promise<readonly [Asked, ...Asked[]]> {
  const used = [candidate, ...candidate.fallbacks].find((way) => inUse.has(serviceKey(way.service)));
  const preferred: Asked = { way: candidate, verdict: await ask(candidate) };
  const isInUse = used === undefined || used === candidate;
  const isProven = works(preferred) && (preferred.verdict.proof === 'proven' || !canProve(candidate, rules));
  if (isProven || (isInUse && !fails(preferred) && !isLost(preferred))) return [preferred];
  const asked: [Asked, ...Asked[]] = [preferred];
  for (const way of [...(isInUse ? [] : [used]), ...candidate.fallbacks.filter((each) => each !== used)]) {
    const each: Asked = { way, verdict: await ask(way) };
    asked.push(each);
    if (works(each) || (way === used && !fails(each) && !isLost(each))) return asked;
  }
  // None can be used: the one in use stays, so that it is the one whose health is told.
  const stays = asked.find(({ way }) => way === (used ?? candidate)) ?? preferred;
  const rest = asked.filter((each) => each !== stays);
  const [first, ...others] = rest;
  return first === undefined ? [stays] : [first, ...others, stays];
}

/** The way to use, with a word on why it is not the preferred one, or why none is. */
export function chosenWay(asked: readonly [Asked, ...Asked[]]): Asked {
  const last = asked.at(-1) ?? asked[0];
  if (asked.length === 1 || isLost(last)) return last;
  const others = asked.slice(0, -1);
  const said = (each: Asked): string => `${each.way.service.name}: ${each.verdict.reason}`;
  const [first] = others;
  const name = last.way.service.name;
  const detail = fails(last)
    ? `no way in works: ${asked.map(said).join('; ')}`
    : `${first?.way.service.name} is preferred, and ${name} is used until it works: ${others.map(said).join('; ')}`;
  return { ...last, way: { ...last.way, evidence: [...last.way.evidence, { signal: 'group', detail }] } };
}

type Found = readonly { readonly service: Candidate['service'] }[];

/** The Services that are in use after a pass: those that were chosen, without those that were merged into others. */
export function waysInUse(chosen: readonly Asked[], found: Found, kept: Found): InUse {
  const keys = new Set(chosen.map(({ way }) => serviceKey(way.service)));
  for (const { service } of found) keys.delete(serviceKey(service));
  for (const { service } of kept) keys.add(serviceKey(service));
  return keys;
}
