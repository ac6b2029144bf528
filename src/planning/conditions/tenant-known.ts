import type { Finding } from '../../model/condition.ts';
import type { PublicationFacts } from './published.ts';

/** The condition `TenantKnown`. Only backends that require a tenant have it. */
export function tenantKnown({
  verdict,
  omissions,
  isPublished,
}: PublicationFacts): Finding<'TenantKnown'> | undefined {
  if (verdict.tenantRequired !== true) return undefined;
  const missing = omissions.find(({ cause }) => cause === 'tenant');
  if (missing !== undefined) {
    const { why, fix } = missing;
    const message = fix === undefined ? why : `${why}; ${fix}`;
    return { type: 'TenantKnown', status: 'False', reason: 'NoTenant', message };
  }
  if (!isPublished) return undefined;
  return {
    type: 'TenantKnown',
    status: 'True',
    reason: 'TenantConfigured',
    message: 'it requires a tenant, and one is configured',
  };
}
