import type { KubeClient } from '../../../kubernetes/connection.ts';
import { annotatePodTemplate, type Deployment, readDeployment } from '../../../kubernetes/deployments.ts';
import { retryOnConflict } from '../../../kubernetes/retry-on-conflict.ts';
import { clusterError } from '../../../kubernetes/status.ts';
import { ClusterError, type UserError } from '../../../model/errors.ts';
import { oneLine } from '../../../model/text.ts';
import { withoutTrailing } from '../../../model/trailing.ts';
import type { ConfigMapName } from '../../../publishers/config-map/config-map.ts';

/** A way to make HolmesGPT read its file again. */
export interface Reloader {
  readonly how: 'restart' | 'endpoint';
  /** The object that is restarted or called, for messages. */
  readonly target: string;
  /** How long after a change HolmesGPT may still see the old file, in milliseconds. */
  readonly lag: number;
  /** The state outside of this process: the token of the last reload, and its time. */
  remembered(signal: AbortSignal): Promise<{ readonly token?: string; readonly at?: number }>;
  /**
   * @param forced reload even if that state was loaded already
   * @returns false if another replica reloaded the same state
   * @throws UserError if it fails
   */
  reload(
    token: string,
    options: { readonly forced: boolean; readonly now: Date },
    signal: AbortSignal,
  ): Promise<boolean>;
}

/** The token of the file for which the Pods were started. */
const HASH = 'kubernaut.io/toolset-hash';

/** The annotation with which `kubectl rollout restart` replaces Pods. */
const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt';

/** Maximum number of attempts when writes conflict. */
const TRIES = 4;

/** Name and namespace of a Deployment. */
export type DeploymentName = ConfigMapName;

/** HolmesGPT's Deployment. @throws UserError if it does not exist or cannot be read */
export async function holmesDeployment(
  kube: KubeClient,
  { namespace, name }: DeploymentName,
  signal: AbortSignal,
): Promise<Deployment> {
  const what = `Deployment ${namespace}/${name}`;
  let found: Deployment | undefined;
  try {
    found = await readDeployment(kube, namespace, name, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw clusterError(error, `read ${what}`, kube.server);
  }
  if (found === undefined)
    throw new ClusterError(
      `${what} does not exist; name HolmesGPT's with HOLMESGPT_DEPLOYMENT, or wait until it is installed`,
    );
  return found;
}

/** Restarts HolmesGPT's Pods as `kubectl rollout restart` does. New Pods mount the current ConfigMap. */
export function restarter(kube: KubeClient, deployment: DeploymentName): Reloader {
  const target = `Deployment ${deployment.namespace}/${deployment.name}`;
  const annotationsOf = ({ spec }: Deployment): Readonly<Record<string, string>> =>
    spec?.template?.metadata?.annotations ?? {};
  return {
    how: 'restart',
    target,
    lag: 0,
    async remembered(signal) {
      const annotations = annotationsOf(await holmesDeployment(kube, deployment, signal));
      const at = Date.parse(annotations[RESTARTED_AT] ?? '');
      const token = annotations[HASH];
      return { ...(token === undefined ? {} : { token }), ...(Number.isNaN(at) ? {} : { at }) };
    },
    async reload(token, { forced, now }, signal) {
      const attempt = async (): Promise<boolean> => {
        const found = await holmesDeployment(kube, deployment, signal);
        if (!forced && annotationsOf(found)[HASH] === token) return false;
        if (found.spec?.paused === true)
          throw new ClusterError(
            `cannot restart ${target}: its rollout is paused; run kubectl rollout resume`,
          );
        const annotations = {
          [RESTARTED_AT]: now.toISOString().replace(/\.\d+Z$/, 'Z'),
          [HASH]: token,
        };
        await annotatePodTemplate(kube, deployment, annotations, found.metadata?.resourceVersion, signal);
        return true;
      };
      try {
        return await retryOnConflict(attempt, signal, { attempts: TRIES });
      } catch (error) {
        signal.throwIfAborted();
        throw clusterError(error, `restart ${target}`, kube.server);
      }
    },
  };
}

/**
 * Maximum time until a running Pod sees a changed ConfigMap, in milliseconds: the kubelet syncs each Pod every 60 to 90
 * seconds by default. See "Mounted ConfigMaps are updated automatically" in the documentation of Kubernetes.
 */
const KUBELET_LAG = 100_000;
const ANSWER_TIMEOUT = 10_000;
/** Maximum size of a response, in bytes. HolmesGPT's own are short. */
const LONGEST_ANSWER = 16 * 1024;

async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  // Leaving the loop cancels the rest of the body.
  for await (const chunk of response.body ?? []) {
    const rest = chunk.subarray(0, LONGEST_ANSWER - length);
    text += decoder.decode(rest, { stream: true });
    length += rest.length;
    if (length >= LONGEST_ANSWER) break;
  }
  return text;
}

function remedy(status: number): string {
  if (status === 404) return 'set ENABLE_ADMIN_API=true for HolmesGPT, and check HOLMESGPT_URL';
  if (status === 401 || status === 403)
    return "set HOLMESGPT_API_KEY to the value of HolmesGPT's HOLMES_API_KEY";
  if (status >= 300 && status < 400) return 'redirects are not followed; give its own URL as HOLMESGPT_URL';
  return "see HolmesGPT's log";
}

/**
 * Calls HolmesGPT's reload endpoint. The key goes into the header `X-API-Key`, which HolmesGPT 0.45.0 reads first
 * (`holmes/utils/auth.py`).
 * @param base URL of HolmesGPT, under which its API is
 */
export function endpointReloader(base: URL, apiKey: string | undefined): Reloader {
  const url = new URL(`${withoutTrailing(base.pathname, '/')}/api/admin/reload/toolsets`, base);
  const failed = (why: string, fix: string, cause?: unknown): UserError =>
    new ClusterError(`cannot make HolmesGPT reload by POST ${url.href}: ${why}; ${fix}`, {
      cause,
    });
  return {
    how: 'endpoint',
    target: url.href,
    lag: KUBELET_LAG,
    remembered: async () => ({}),
    async reload(_token, _options, signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT)]);
      let status: number;
      let said: string;
      try {
        const response = await fetch(url, {
          method: 'POST',
          redirect: 'manual',
          headers: {
            'user-agent': 'dynamic-toolset',
            ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }),
          },
          signal: limit,
        });
        status = response.status;
        said = await beginningOf(response);
      } catch (error) {
        signal.throwIfAborted();
        const { name, message, cause } = error as Error;
        const why =
          name === 'TimeoutError'
            ? `no answer within ${ANSWER_TIMEOUT / 1000} s`
            : oneLine(cause instanceof Error ? cause.message : message, 200);
        throw failed(why, 'check HOLMESGPT_URL, the network, and whether HolmesGPT runs', error);
      }
      if (status < 200 || status >= 300) throw failed(oneLine(`HTTP ${status} ${said}`, 200), remedy(status));
      return true;
    },
  };
}
