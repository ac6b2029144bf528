import type { CERTAINTIES } from '../../model/certainties.ts';
import type { ConditionReason, Finding } from '../../model/condition.ts';
import type { Candidate, DiscoveredService } from '../../model/discovery.ts';
import { displayKey } from '../../model/key.ts';

const REASONS: Readonly<Record<(typeof CERTAINTIES)[number], ConditionReason<'Detected'>>> = {
  annotation: 'OwnerAnnotation',
  operator: 'OperatorLabel',
  component: 'ComponentLabel',
  recommended: 'RecommendedLabel',
  label: 'Label',
  selector: 'Selector',
  name: 'Name',
  hint: 'Hint',
};

/** The condition `Detected` of a discovered backend. */
export function detected({
  service,
  type,
  certainty,
  evidence,
  verdict,
}: DiscoveredService): Finding<'Detected'> {
  const why = evidence[0]?.detail ?? 'nothing else is known of it';
  return {
    type: 'Detected',
    status: 'True',
    reason: REASONS[certainty],
    message:
      verdict.provenAs === undefined
        ? `Service ${displayKey(service)} looks like ${type}: ${why}`
        : `Service ${displayKey(service)} looks like another product (${why}), but answers as ${type}`,
  };
}

const EXPLAIN = 'dynamic-toolset explain';

/** The conditions of a backend that the last discovery did not find, but whose tool is still published. */
export function notFound({ service, type }: Candidate): readonly [Finding<'Detected'>, ...Finding[]] {
  const key = displayKey(service);
  const message = `Service ${key} no longer exists, or is no longer a backend of type ${type}`;
  return [
    {
      type: 'Detected',
      status: 'False',
      reason: 'NotFound',
      message: `${message}; ${EXPLAIN} ${key} shows what it is now`,
    },
    { type: 'Proven', status: 'Unknown', reason: 'NotFound', message },
    { type: 'Healthy', status: 'Unknown', reason: 'NotFound', message },
  ];
}
