import { idsOf } from '../../controller/backend-ids.ts';
import { Catalog, type CatalogInputs } from '../../controller/catalog.ts';
import type { Explanation } from '../../detection/explain.ts';
import type { Backend } from '../../model/backend.ts';
import type { DiscoveredService, Verdict } from '../../model/discovery.ts';
import type { Generated } from '../../model/documents.ts';
import { serviceKey } from '../../model/service.ts';
import { admissionOf } from '../../planning/admission.ts';
import { findingsOf } from '../../planning/conditions/conditions.ts';
import type { PublicationState } from '../../planning/conditions/published.ts';
import type { ExplainInput } from './input.ts';
import type { ExplainResult } from './result.ts';

/** The state of a publication without anything that holds it. */
const UNHELD: PublicationState = {
  isKnown: true,
  rollback: undefined,
  overrideError: undefined,
  failure: undefined,
  decides: true,
};

/**
 * The id and conditions of the backend, and what they would be if the generated documents were published. A backend whose
 * answers contradict its detector has conditions but no id.
 */
export function backendState(
  explanation: Explanation,
  service: DiscoveredService | undefined,
  verdict: Verdict | undefined,
  found: readonly DiscoveredService[],
  { cuts, omissions, tools: generated }: Pick<Generated, 'cuts' | 'omissions' | 'tools'>,
  { state, policy }: ExplainInput,
): Pick<ExplainResult, 'id' | 'conditions' | 'published' | 'generated'> {
  const { overrides, tools, publication, leftOutOf, inForce, groups } = state;
  const ids = idsOf(found, groups);
  const stateOf = (change: Pick<CatalogInputs, 'tools' | 'publication'>): Backend | undefined => {
    const catalog = new Catalog();
    const left = { cuts, omissions: [...omissions, ...inForce.leftOut], leftOutOf };
    catalog.update({ found, ids, overrides, policy, ...left, ...change }, new Date());
    return service === undefined ? undefined : catalog.of(serviceKey(service.service));
  };
  const backend = stateOf({ tools, publication });
  const after = stateOf({ tools: generated, publication: UNHELD });
  if (backend !== undefined) {
    const { id, conditions, instead } = backend;
    const published = publication.isKnown ? (backend.published ?? instead?.published) : after?.published;
    return { id, conditions, published, generated: after };
  }
  const { candidate } = explanation;
  if (candidate === undefined || verdict === undefined)
    return { id: undefined, conditions: [], published: undefined, generated: undefined };
  const left = { ...candidate, verdict };
  const facts = {
    state: publication,
    isOutage: false,
    namespace: candidate.service.namespace,
    isPublished: false,
    isFound: true,
    approval: admissionOf(left, policy, overrides),
    switchedOff: undefined,
    hasOwnAddress: false,
    cuts: [],
    omissions: [],
  };
  return { id: undefined, conditions: findingsOf(left, facts), published: undefined, generated: undefined };
}
