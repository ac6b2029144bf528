import { findingJson } from '../../model/condition.ts';
import { endpointUrl, type Verdict } from '../../model/discovery.ts';
import { jsonText } from '../../model/visible.ts';
import type { Questions } from '../../outputs/output.ts';
import { adviceOf } from './advice.ts';
import { type ExplainResult, isUsed } from './result.ts';

/** A verdict in which each tool says whether the agent asks before it. */
function withQuestions(verdict: Verdict | undefined, questions: Questions | undefined) {
  if (verdict?.tools === undefined || questions === undefined) return verdict;
  const tools = verdict.tools.map((tool) => ({ ...tool, asked: questions.asksBefore(tool.name) }));
  return { ...verdict, tools };
}

/** Formats the result for `explain -o json`. */
export function asJson(result: ExplainResult): string {
  const { explanation, verdict, service, approval, problems, limit, cuts, id, conditions } = result;
  const { asksBeforeEach, questions } = result;
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
    ...(explanation.parts === undefined ? {} : { parts: [...explanation.parts.keys()] }),
    probe: withQuestions(verdict, questions),
    approval,
    asksBeforeEach,
    limits: cuts,
    used: isUsed(result),
    ...(result.ownTool === undefined
      ? {}
      : { ownTool: { name: result.ownTool.name, endpoint: result.ownTool.endpoint } }),
    ...(result.stillPublished.length === 0
      ? {}
      : { stillPublished: result.stillPublished.map(({ tool }) => tool) }),
    advice: adviceOf(result),
    warnings: [...(questions?.problems ?? []), ...problems, ...(limit === undefined ? [] : [limit])],
  };
  return `${jsonText(content, 2)}\n`;
}
