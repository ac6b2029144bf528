import type { ExceededLimit } from '../../model/discovery.ts';
import type { Advice } from './advice/advice.ts';
import { conditionAdvice, unprovenAdvice } from './advice/conditions.ts';
import { keyOf } from './advice/overrides.ts';
import { changesOf } from './advice/source-changes.ts';
import { keptOutAdvice, unmatchedAdvice } from './advice/unmatched.ts';
import type { ExplainResult } from './result.ts';

/** For a Service that a limit leaves out. */
const raise = ({ setting: { key, enough } }: ExceededLimit): Advice => ({
  what: 'To have all of them, in the settings of serve:',
  lines: [`${key}: ${enough}`],
});

/** What would change the verdict of `explain`, or what the agent needs. Empty if the verdict says all. */
export function adviceOf(result: ExplainResult): Advice[] {
  const { explanation, service, limit, source } = result;
  const { candidate, detectors, keptOut } = explanation;
  const changes = changesOf(source);
  if (keptOut !== undefined) return keptOutAdvice(explanation, changes);
  if (candidate === undefined)
    return limit === undefined ? unmatchedAdvice(explanation.service, detectors, changes) : [raise(limit)];
  if (candidate.service.name !== explanation.service.name)
    return [
      {
        what: 'For the one that is in use:',
        lines: [changes.command('explain', keyOf(candidate.service))],
      },
    ];
  if (limit !== undefined) return [raise(limit)];
  return service === undefined ? unprovenAdvice(explanation, changes) : conditionAdvice(result, changes);
}
