import type { Candidate } from '../model/discovery.ts';
import { displayNamespace, partsOf } from '../model/key.ts';
import { bySeniority } from '../model/seniority.ts';
import { keyOfService, type ServiceKey, serviceKey } from '../model/service.ts';
import { establishedIn, seniorityIn, sinceIn, type Use } from './company.ts';

const keyed = (one: ServiceKey, name: string): ServiceKey => serviceKey({ ...partsOf(one), name });

/**
 * What is in use, where the best companion of each entry point whose Service is gone takes its place, so that no newcomer
 * does.
 * @param candidates all backends
 */
export function withHeirs(use: Use, candidates: readonly Candidate[]): Use {
  const gone = new Set(use.inUse);
  for (const { service, fallbacks } of candidates)
    for (const one of [service, ...fallbacks.map((fallback) => fallback.service)])
      gone.delete(keyOfService(one));
  if (gone.size === 0) return use;
  const places = new Set([...gone].map((key) => displayNamespace(partsOf(key))));
  for (const { service, alternates } of candidates)
    if (places.has(displayNamespace(service)))
      for (const name of alternates) gone.delete(serviceKey({ ...service, name }));
  const owners = new Map<ServiceKey, ServiceKey>();
  for (const owner of gone) {
    const members = [...(use.companions.get(owner)?.all ?? [])].map((name) => keyed(owner, name));
    if (!members.some((member) => use.inUse.has(member)))
      for (const member of members) owners.set(member, owner);
  }
  if (owners.size === 0) return use;
  const [inUse, companions] = [new Set(use.inUse), new Map(use.companions)];
  for (const candidate of candidates)
    for (const { service } of [candidate, ...candidate.fallbacks]) {
      const owner = owners.get(keyOfService(service));
      const company = owner === undefined ? undefined : use.companions.get(owner);
      if (owner === undefined || company === undefined || !gone.delete(owner)) continue;
      const { name } = partsOf(owner);
      const all = new Set([...company.all, name]);
      all.delete(service.name);
      inUse.add(keyOfService(service));
      const established = establishedIn(name, company);
      companions.set(keyOfService(service), { ...company, all, better: new Set([name]), established });
    }
  return { ...use, inUse, companions };
}

/** The backends of which these Services are established, but not the entry points; of several, the oldest. */
function establishedElsewhere({ companions }: Use): ReadonlyMap<ServiceKey, ServiceKey> {
  const owners = new Map<ServiceKey, ServiceKey>();
  const isOlder = (one: ServiceKey, other: ServiceKey | undefined): boolean =>
    other === undefined || bySeniority(sinceIn(companions, one), sinceIn(companions, other)) < 0;
  for (const [key, { established = [] }] of companions)
    for (const name of established) {
      const member = keyed(key, name);
      if (member !== key && isOlder(key, owners.get(member))) owners.set(member, key);
    }
  return owners;
}

/**
 * What is in use, with the Services that were deleted and are created again, but no longer lead to their backend: if a newer
 * backend came meanwhile to which they lead, too, they do not become part of that one.
 * @param candidates all backends
 */
export function withReturned(use: Use, candidates: readonly Candidate[]): Use {
  const owners = establishedElsewhere(use);
  if (owners.size === 0) return use;
  const [inUse, companions] = [new Set(use.inUse), new Map(use.companions)];
  for (const candidate of candidates) {
    const keys = [candidate, ...candidate.fallbacks].map(({ service }) => keyOfService(service));
    const used = keys.filter((key) => use.inUse.has(key));
    if (used.length === 0) continue;
    for (const key of keys) {
      const owner = owners.get(key);
      const company = owner === undefined ? undefined : use.companions.get(owner);
      if (owner === undefined || company === undefined || keys.includes(owner) || inUse.has(key)) continue;
      if (used.some((each) => bySeniority(sinceIn(companions, each), seniorityIn(company)) <= 0)) continue;
      const all = new Set([...company.all, partsOf(owner).name]);
      all.delete(partsOf(key).name);
      inUse.add(key);
      companions.set(key, { ...company, all, better: new Set() });
    }
  }
  return { ...use, inUse, companions };
}
