import { displayKey } from '../../../model/key.ts';
import { objectName } from '../../../model/part.ts';
import { shellWord } from '../../../model/shell-word.ts';
import type { ExplainResult } from '../result.ts';
import type { Advice } from './advice.ts';
import type { SourceChanges } from './source-changes.ts';

/** The first port that a process without privileges may listen on. */
const FIRST_UNPRIVILEGED = 1_024;

const localPort = (port: number): number =>
  port >= FIRST_UNPRIVILEGED ? port : port === 443 ? 8_443 : 8_080;

/** The path of the request that the verdict is about. `undefined` if that was no GET. */
function failedPath({ verdict }: ExplainResult): string | undefined {
  const { steps = [], reason = '' } = verdict ?? {};
  const step = steps.find(({ asked }) => reason.startsWith(`${asked} `) || reason.startsWith(`${asked}:`));
  return /^GET (\/.*)$/.exec((step ?? steps.at(-1))?.asked ?? '')?.[1];
}

/** Repeats the request that failed. */
export function askIt(result: ExplainResult): Advice | undefined {
  const { candidate } = result.explanation;
  if (candidate === undefined || candidate.endpoint.scheme === 'tcp') return undefined;
  const { service, endpoint } = candidate;
  const { namespace, ports } = service;
  const { scheme, path: base } = endpoint;
  // The endpoint of a headless Service has the port of its Pods.
  const port =
    ports.find((each) => each.port === endpoint.port)?.port ??
    ports.find(({ targetPort }) => targetPort === endpoint.port)?.port ??
    endpoint.port;
  const local = localPort(port);
  const path = failedPath(result) ?? (base === '' ? '/' : base);
  return {
    what: 'To see what it answers:',
    lines: [
      `kubectl port-forward -n ${namespace} service/${objectName(service)} ${local === port ? port : `${local}:${port}`}`,
      `curl -${scheme === 'https' ? 'k' : ''}i ${shellWord(`${scheme}://127.0.0.1:${local}${path}`)}`,
    ],
  };
}

/** For a name that does not resolve: whether DNS says that it does not exist, or does not answer. */
export function nameAdvice(result: ExplainResult, changes: SourceChanges): readonly Advice[] {
  const { explanation, verdict, source } = result;
  const { candidate } = explanation;
  if (candidate === undefined) return [];
  const key = displayKey(candidate.service);
  const [, domain] = candidate.endpoint.host.split('.svc.');
  const explain = changes.command('explain', key);
  const isUnknown = verdict?.reason.includes('ENOTFOUND') === true;
  return [
    // The API server's proxy needs a cluster.
    ...(source === undefined
      ? [
          {
            what: 'Outside the cluster, names of Services do not resolve. To probe through the API server:',
            lines: [`${explain} --probe apiserver-proxy`],
          },
        ]
      : []),
    isUnknown && domain !== undefined
      ? {
          what: `If the domain of the cluster is not ${domain}, set CLUSTER_DOMAIN, also for serve:`,
          lines: [`CLUSTER_DOMAIN=DOMAIN ${explain}`],
        }
      : {
          what: "To look at the cluster's DNS:",
          lines: ['kubectl get pods -n kube-system -l k8s-app=kube-dns'],
        },
  ];
}
