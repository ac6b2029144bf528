import { findingJson } from '../../model/condition.ts';
import { endpointUrl } from '../../model/discovery.ts';
import { jsonText } from '../../model/visible.ts';
import { type ExplainResult, isUsed } from './result.ts';

/** Formats the result for `explain -o json`. */
export function asJson(result: ExplainResult): string {
  const { explanation, verdict, service, approval, problems, limit, cuts, id, conditions, asksBeforeEach } =
    result;
  const { candidate, detectors, keptOut } = explanation;
  const backend =
    candidate === undefined
      ? undefined
      : {
          service: candidate.service.name,
          type: service?.type ?? candidate.type,
          endpoint: endpointUrl((service ?? candidate).endpoint),
          certainty: candidate.certainty,
          tool: (service ?? candidate).tool,
          alternates: candidate.alternates,
          evidence: candidate.evidence,
          id,
          conditions: conditions.map(findingJson),
        };
  const content = {
    service: explanation.service,
    keptOut,
    detectors,
    backend,
    probe: verdict,
    approval,
    asksBeforeEach,
    limits: cuts,
    used: isUsed(result),
    ...(result.ownTool === undefined
      ? {}
      : { ownTool: { name: result.ownTool.name, endpoint: result.ownTool.endpoint } }),
    ...(result.stillPublished.length === 0 ? {} : { stillPublished: result.stillPublished }),
    warnings: limit === undefined ? problems : [...problems, limit],
  };
  return `${jsonText(content, 2)}\n`;
}
