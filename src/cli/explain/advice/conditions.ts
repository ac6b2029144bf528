import type { Explanation } from '../../../detection/explain.ts';
import { approvalKind } from '../../../model/approvals.ts';
import { endpointUrl } from '../../../model/discovery.ts';
import { isPart, objectName } from '../../../model/part.ts';
import type { Service } from '../../../model/service.ts';
import { shellWord } from '../../../model/shell-word.ts';
import { ALL_OUTPUTS } from '../../../outputs/registry.ts';
import type { ExplainResult } from '../result.ts';
import type { Advice } from './advice.ts';
import { keyOf, withUrl } from './overrides.ts';
import { askIt, nameAdvice } from './probe-commands.ts';
import type { SourceChanges } from './source-changes.ts';
import { otherApi } from './unmatched.ts';

/** For a backend that was probed and is left out. */
export function unprovenAdvice({ candidate, service }: Explanation, changes: SourceChanges): Advice[] {
  if (candidate === undefined) return [];
  if (isPart(service))
    return [
      {
        what: `If it is ${candidate.type}, in overrides.yaml:`,
        lines: withUrl(service, candidate.type, endpointUrl(candidate.endpoint)),
      },
    ];
  if (candidate.certainty === 'hint')
    return [
      { what: `If it is ${candidate.type}, say so:`, lines: changes.nameProduct(service, candidate.type) },
      otherApi(service, changes),
    ];
  // The path of an MCP server is the usual one, and not a base path.
  const root = candidate.mcp === true ? { ...candidate.endpoint, path: '' } : candidate.endpoint;
  return [
    {
      what: 'If its API is below a path or at another port, in overrides.yaml:',
      lines: withUrl(service, undefined, `${endpointUrl(root)}/PATH`),
    },
  ];
}

/** What to do for the reason of a condition; undefined: its message says all. */
type AdviceFor = (
  result: ExplainResult,
  service: Service,
  changes: SourceChanges,
  message: string,
) => Advice | readonly Advice[] | undefined;

const lookAtNetwork: AdviceFor = (_, { namespace }) => ({
  what: 'To see what may block the connection:',
  lines: [`kubectl get networkpolicies -n ${namespace}`],
});

const configureCa: AdviceFor = (_, service) => ({
  what: 'To verify its certificate here, in the settings of serve, with a PEM file that is mounted there:',
  lines: ['certificates:', `  ${keyOf(service)}:`, '    caFile: /PATH/ca.crt'],
});

const elsewhere: AdviceFor = ({ explanation }, _, changes) => unprovenAdvice(explanation, changes)[0];

const ADVICE: Readonly<Record<string, AdviceFor>> = {
  'Healthy NoReadyEndpoints': (_, service) => ({
    what: 'To see its Pods:',
    lines: [
      `kubectl get endpointslices -n ${service.namespace} -l kubernetes.io/service-name=${objectName(service)} -o wide`,
    ],
  }),
  'Healthy ConnectionFailed': lookAtNetwork,
  'Healthy Timeout': lookAtNetwork,
  'Healthy NameNotResolved': (result, _, changes) => nameAdvice(result, changes),
  'Healthy TLSFailed': (result) => (result.verdict?.fix === undefined ? askIt(result) : undefined),
  'Healthy InvalidAnswer': askIt,
  'Healthy ErrorAnswer': askIt,
  'Healthy HealthPathNotFound': elsewhere,
  'Proven AnsweredAsSomethingElse': elsewhere,
  'Trusted SelfSigned': configureCa,
  'Trusted UnknownAuthority': configureCa,
  'Trusted TrustedWithConfiguredCA': ({ verdict }) => ({
    what: "To give HolmesGPT the CA, for its variable CERTIFICATE or its chart's value certificate, with the file that serve has:",
    lines: [`base64 < ${shellWord(verdict?.trustedWith ?? 'FILE')} | tr -d '\\n'`],
  }),
  'Published NeedsCredentials': ({ explanation: { candidate } }, service, _changes, message) => {
    const keys = ALL_OUTPUTS.map(({ id, credentialKeys }) => credentialKeys?.(candidate?.mappings[id]) ?? []);
    const known = keys.find((each) => each.length > 0) ?? [];
    // The message says what to write in place of credentials that are not supported.
    return known.length === 0 || message.includes('its credentials cannot be used')
      ? undefined
      : {
          what: `If you trust its owner with credentials, in the settings of serve, with ${known.length === 1 ? 'the name of a variable' : 'the names of variables'} of the agent:`,
          lines: [
            'credentials:',
            `  ${keyOf(service)}:`,
            ...known.map((key) => `    ${key}: NAME_OF_A_VARIABLE`),
          ],
        };
  },
  'Published NeedsTenant': (_, service) => ({
    what: 'In the settings of serve:',
    lines: ['tenants:', `  ${keyOf(service)}: ID_OF_THE_TENANT`],
  }),
  'Published NotApproved': ({ approval, explanation: { candidate } }, service, changes) =>
    approval?.state === 'waiting'
      ? {
          what: 'If you trust it:',
          lines: changes.approve(service, (candidate && approvalKind(candidate)) ?? 'custom'),
        }
      : undefined,
  'Published HeldByRollback': () => ({
    what: 'To end the rollback:',
    lines: ['dynamic-toolset rollback --end'],
  }),
  'Published NotYetPublished': () => ({
    what: 'To see what serve will change:',
    lines: ['dynamic-toolset diff'],
  }),
};

/** For a backend, by its conditions. */
export function conditionAdvice(result: ExplainResult, changes: SourceChanges): Advice[] {
  const { conditions, generated, isPublicationKnown, explanation } = result;
  const service = explanation.candidate?.service ?? explanation.service;
  const known = isPublicationKnown ? conditions : (generated?.conditions ?? conditions);
  const advice = known.flatMap(
    ({ type, reason, message }): readonly Advice[] | Advice =>
      ADVICE[`${type} ${reason}`]?.(result, service, changes, message) ?? [],
  );
  return [...new Map(advice.map((each) => [each.what, each])).values()];
}
