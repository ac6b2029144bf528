import type { Credentials } from '../../../model/credentials.ts';
import type { Problem } from '../../../model/discovery.ts';
import { isMapping } from '../../../model/mapping.ts';
import type { PodFiles } from '../../../model/pod-files.ts';

/**
 * The only toolset to which HolmesGPT brings a token of its own: with `IS_OPENSHIFT`, it sends the token of its ServiceAccount to
 * each instance without an `Authorization` header. Source: HolmesGPT 0.45.0, `validate_prom_config` in `prometheus.py`.
 */
export const WITH_AGENT_TOKEN = 'prometheus/metrics';

const HEADERS = 'additional_headers';

/**
 * The fields of a backend with a header that keeps HolmesGPT from sending its own token, unless they have one. It is no
 * secret, and servers that require no login ignore it. HolmesGPT knows the header in this spelling only.
 */
export function withoutAgentToken(fields: Record<string, unknown>): Record<string, unknown> {
  const headers = Object.entries(isMapping(fields[HEADERS]) ? fields[HEADERS] : {});
  const isAuthorization = ([name]: readonly [string, unknown]): boolean =>
    name.toLowerCase() === 'authorization';
  const [, given] = headers.find((header) => isAuthorization(header) && header[1] !== '') ?? [];
  const others = headers.filter((header) => !isAuthorization(header));
  return { ...fields, [HEADERS]: { ...Object.fromEntries(others), Authorization: given ?? 'none' } };
}

/** The settings that decide which backends get the agent's own token. */
interface TokenSettings {
  readonly credentials: Credentials;
  readonly holmesgptOpenshift?: boolean | undefined;
}

/** Whether only those backends get the agent's own token for which people configured it. */
export const keepsAgentToken = ({ credentials, holmesgptOpenshift }: TokenSettings): boolean =>
  holmesgptOpenshift === true || Object.values(credentials).some(({ agentToken }) => agentToken === true);

/** The problem if HolmesGPT sends its own token to discovered backends. @param pod its Pod */
export function agentTokenProblem(
  pod: PodFiles,
  settings: TokenSettings,
): Omit<Problem, 'where'> | undefined {
  const isOpenshift = (pod.containers ?? []).some(({ env = [] }) =>
    env.some(({ name, value = '' }) => name === 'IS_OPENSHIFT' && /^(true|1)$/i.test(value)),
  );
  if (!isOpenshift || keepsAgentToken(settings)) return undefined;
  return {
    what: 'has IS_OPENSHIFT, so HolmesGPT sends the token of its ServiceAccount to each discovered Prometheus, including those of tenants',
    fix: 'set HOLMESGPT_OPENSHIFT to true, and agentToken in the credentials of those that it is for',
  };
}
