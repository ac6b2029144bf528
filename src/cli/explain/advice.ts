import type { DetectorVerdict, Explanation } from '../../detection/explain.ts';
import { type ExceededLimit, endpointUrl } from '../../model/discovery.ts';
import type { Service } from '../../model/service.ts';
import type { ExplainResult } from './result.ts';

/** What would change the verdict, and the commands or the configuration for it. */
export interface Advice {
  readonly what: string;
  readonly lines: readonly string[];
}

/** The annotation with which an owner offers a Service, or keeps it out. */
const OFFER = 'kubernaut.io/toolset';

const keyOf = ({ namespace, name }: Service): string => `${namespace}/${name}`;

/** A word of a shell command. The owner of a Service may choose the path of its URL. */
const word = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const annotate = ({ namespace, name }: Service, ...changes: readonly string[]): string =>
  `kubectl annotate service -n ${namespace} ${name} ${changes.join(' ')}`;

const nameProduct = ({ namespace, name }: Service, product: string): string =>
  `kubectl label service -n ${namespace} ${name} app.kubernetes.io/name=${product}`;

const approve = (service: Service): string => `dynamic-toolset approve ${keyOf(service)}`;

/** The part of `overrides.yaml` that gives a tool its URL. */
const withUrl = (service: Service, type: string | undefined, url: string): string[] => [
  'tools:',
  `  ${keyOf(service)}:`,
  ...(type === undefined ? [] : [`    type: ${type}`]),
  `    endpoint: ${JSON.stringify(url)}`,
];

/** The URL of a Service with its first port, which may be another one. */
const urlOf = ({ namespace, name, ports }: Service): string =>
  `http://${name}.${namespace}.svc.cluster.local:${ports[0]?.port ?? 80}`;

const otherApi = (service: Service): Advice => ({
  what: 'If it is another HTTP API that the agent should use, its owner can offer it, and you approve it:',
  lines: [annotate(service, `${OFFER}=true`), approve(service)],
});

/** For a Service that a limit leaves out. */
const raise = ({ setting: { key, enough } }: ExceededLimit): Advice => ({
  what: 'To have all of them, in the settings of serve:',
  lines: [`${key}: ${enough}`],
});

/** For a Service that is no backend, whatever the detectors find. */
function keptOutAdvice(service: Service): Advice[] {
  if (service.annotations[OFFER] !== undefined)
    return [{ what: 'To let the program find it:', lines: [annotate(service, `${OFFER}-`)] }];
  if (service.type !== 'ExternalName') return [];
  return [
    {
      what: 'To publish only this one, in overrides.yaml:',
      lines: withUrl(service, 'TYPE', `http://${service.externalName ?? 'HOST'}`),
    },
  ];
}

/** For a Service that no detector matches. */
function unmatchedAdvice(service: Service, detectors: readonly DetectorVerdict[]): Advice[] {
  if (detectors.some(({ excluded }) => excluded !== undefined)) return [];
  const near = detectors.find((each) => each.near);
  if (near?.fix !== undefined)
    return [
      {
        what: `If it is ${near.type} on another port, in overrides.yaml:`,
        lines: withUrl(service, near.type, urlOf(service)),
      },
    ];
  if (near !== undefined)
    return [
      {
        what: `If it is a part of ${near.type}, to see the backend of its namespace:`,
        lines: [`dynamic-toolset discover -n ${service.namespace}`],
      },
      {
        what: `If queries go to it all the same, its owner can offer it, and you approve it:`,
        lines: [annotate(service, `${OFFER}=true`, `${OFFER}-type=${near.type}`), approve(service)],
      },
    ];
  return [
    {
      what: 'If it is a product that the program knows, name that, for example:',
      lines: [nameProduct(service, 'prometheus')],
    },
    otherApi(service),
  ];
}

/** For a backend that was probed and is left out. */
function unprovenAdvice({ candidate, service }: Explanation): Advice[] {
  if (candidate === undefined) return [];
  if (candidate.certainty === 'hint')
    return [
      { what: `If it is ${candidate.type}, say so:`, lines: [nameProduct(service, candidate.type)] },
      otherApi(service),
    ];
  return [
    {
      what: 'If its API is below a path or at another port, in overrides.yaml:',
      lines: withUrl(service, undefined, `${endpointUrl(candidate.endpoint)}/PATH`),
    },
  ];
}

/** What to do for the reason of a condition; undefined: its message says all. */
type AdviceFor = (result: ExplainResult, service: Service) => Advice | undefined;

const lookAtNetwork: AdviceFor = (_, { namespace }) => ({
  what: 'To see what may block the connection:',
  lines: [`kubectl get networkpolicies -n ${namespace}`],
});

const askIt: AdviceFor = ({ explanation: { candidate } }, { namespace, name }) => {
  if (candidate === undefined) return undefined;
  const { scheme, port, path } = candidate.endpoint;
  return {
    what: 'To see what it answers:',
    lines: [
      `kubectl port-forward -n ${namespace} service/${name} ${port}`,
      `curl -${scheme === 'https' ? 'k' : ''}i ${word(`${scheme}://127.0.0.1:${port}${path === '' ? '/' : path}`)}`,
    ],
  };
};

const configureCa: AdviceFor = (_, service) => ({
  what: 'To verify its certificate here, in the settings of serve, with a PEM file that is mounted there:',
  lines: ['certificates:', `  ${keyOf(service)}:`, '    caFile: /PATH/ca.crt'],
});

const elsewhere: AdviceFor = ({ explanation }) => unprovenAdvice(explanation)[0];

const ADVICE: Readonly<Record<string, AdviceFor>> = {
  'Healthy NoReadyEndpoints': (_, { namespace, name }) => ({
    what: 'To see its Pods:',
    lines: [`kubectl get endpointslices -n ${namespace} -l kubernetes.io/service-name=${name} -o wide`],
  }),
  'Healthy ConnectionFailed': lookAtNetwork,
  'Healthy Timeout': lookAtNetwork,
  'Healthy NameNotResolved': () => ({
    what: "To look at the cluster's DNS:",
    lines: ['kubectl get pods -n kube-system -l k8s-app=kube-dns'],
  }),
  'Healthy TLSFailed': (result, service) =>
    result.verdict?.fix === undefined ? askIt(result, service) : undefined,
  'Healthy InvalidAnswer': askIt,
  'Healthy ErrorAnswer': askIt,
  'Healthy HealthPathNotFound': elsewhere,
  'Proven AnsweredAsSomethingElse': elsewhere,
  'Trusted SelfSigned': configureCa,
  'Trusted UnknownAuthority': configureCa,
  'Trusted TrustedWithConfiguredCA': ({ verdict }) => ({
    what: "To give HolmesGPT the CA, for its variable CERTIFICATE or its chart's value certificate, with the file that serve has:",
    lines: [`base64 < ${word(verdict?.trustedWith ?? 'FILE')} | tr -d '\\n'`],
  }),
  'Published NeedsCredentials': (_, service) => ({
    what: 'If you trust its owner with credentials, in the settings of serve, with the name of a variable of the agent:',
    lines: ['credentials:', `  ${keyOf(service)}:`, '    bearerToken: NAME_OF_A_VARIABLE'],
  }),
  'Published NeedsTenant': (_, service) => ({
    what: 'In the settings of serve:',
    lines: ['tenants:', `  ${keyOf(service)}: ID_OF_THE_TENANT`],
  }),
  'Published NotApproved': ({ approval }, service) =>
    approval?.state === 'waiting' ? { what: 'If you trust it:', lines: [approve(service)] } : undefined,
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
function conditionAdvice(result: ExplainResult): Advice[] {
  const { conditions, generated, isPublicationKnown, explanation } = result;
  const service = explanation.candidate?.service ?? explanation.service;
  const known = isPublicationKnown ? conditions : (generated?.conditions ?? conditions);
  const advice = known.flatMap(({ type, reason }) => ADVICE[`${type} ${reason}`]?.(result, service) ?? []);
  return [...new Map(advice.map((each) => [each.what, each])).values()];
}

/** What would change the verdict of `explain`, or what the agent needs. Empty if the verdict says all. */
export function adviceOf(result: ExplainResult): Advice[] {
  const { explanation, service, limit } = result;
  const { candidate, detectors, keptOut } = explanation;
  if (keptOut !== undefined) return keptOutAdvice(explanation.service);
  if (candidate === undefined)
    return limit === undefined ? unmatchedAdvice(explanation.service, detectors) : [raise(limit)];
  if (candidate.service.name !== explanation.service.name)
    return [
      {
        what: 'For the one that is in use:',
        lines: [`dynamic-toolset explain ${keyOf(candidate.service)}`],
      },
    ];
  if (limit !== undefined) return [raise(limit)];
  return service === undefined ? unprovenAdvice(explanation) : conditionAdvice(result);
}
