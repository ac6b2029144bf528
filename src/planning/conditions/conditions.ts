import type { Finding } from '../../model/condition.ts';
import type { DiscoveredService } from '../../model/discovery.ts';
import { approved } from './approved.ts';
import { detected, notFound } from './detected.ts';
import { healthy, proven } from './probed.ts';
import { type PublicationFacts, published } from './published.ts';
import { tenantKnown } from './tenant-known.ts';
import { trusted } from './trusted.ts';

/**
 * The conditions of a backend, in the order in which it passes them. Pure.
 * @param service the result of the last discovery that found it
 */
export function findingsOf(
  service: DiscoveredService,
  {
    isOutage,
    ...rest
  }: Omit<PublicationFacts, 'verdict' | 'service' | 'created'> & { readonly isOutage: boolean },
): readonly Finding[] {
  const { isFound, approval } = rest;
  const { verdict } = service;
  const facts = { ...rest, service: service.service, created: service.service.created, verdict };
  return [
    ...(isFound ? [detected(service), proven(service), healthy(verdict, isOutage)] : notFound(service)),
    isFound ? trusted(verdict) : undefined,
    tenantKnown(facts),
    approved(approval),
    published(facts),
  ].filter((finding) => finding !== undefined);
}
