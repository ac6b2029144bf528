import { detect } from '../detect/detect.ts';
import type { Engine } from '../engine/engine.ts';
import { toolKinds } from '../engine/pass.ts';
import type { View } from '../engine/view.ts';
import { generate } from '../generate/generate.ts';
import type { DiscoveredService } from '../model/discovery.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import type { Service } from '../model/service.ts';
import { readOverrides } from '../reconcile/overrides.ts';
import type { Backing, DiscoverRequest, GenerateService } from '../server/api.ts';
import { ProblemError } from '../server/problem.ts';
import type { Assembly } from './assembly.ts';
import type { LiveConfiguration } from './live-configuration.ts';
import { CheckRefused, TextChecks } from './text-checks.ts';

const NOT_PROBED = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: 'not probed',
  steps: [],
} as const;

/** A Service whose owner says what it is: what a client describes counts as that. */
function annotated({ name, namespace, type, endpoint }: GenerateService): Service {
  const { port, protocol } = new URL(endpoint);
  return {
    name,
    namespace,
    labels: {},
    annotations: {
      'kubernaut.io/toolset': 'true',
      'kubernaut.io/toolset-type': type,
      'kubernaut.io/toolset-endpoint': endpoint,
    },
    selector: {},
    ports: [{ port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port), protocol: 'TCP' }],
    type: 'ClusterIP',
    headless: false,
  };
}

function described(services: readonly GenerateService[], { engine }: Assembly): DiscoveredService[] {
  const { rules, detection } = engine.stages;
  const { candidates } = detect(services.map(annotated), rules, { ...detection, allowedHosts: ['*'] });
  return candidates.map((candidate) => ({ ...candidate, verdict: NOT_PROBED }));
}

const REFUSALS = { client: 'too-many-requests', busy: 'unavailable', costly: 'document-too-costly' } as const;

/** A text that was not checked, as the answer tells it. */
function refusedCheck(error: unknown): unknown {
  if (!(error instanceof CheckRefused)) return error;
  const { reason, message } = error;
  return new ProblemError(REFUSALS[reason], `The document was not checked: ${message}.`, {
    headers: reason === 'costly' ? {} : { 'retry-after': '1' },
  });
}

/** What works now. */
interface Working {
  readonly assembly: Assembly;
  readonly engine: Engine;
}

/** Longest time that a discovery is waited for, in milliseconds. */
const LONGEST_DISCOVERY = 120_000;

/** Asks backends anew, and waits for the pass that does. @returns how many backends there are then */
async function rediscover(
  { namespaces, serviceTypes, force = false }: DiscoverRequest,
  { assembly: { prober }, engine }: Working,
  view: View,
): Promise<number> {
  const types = new Map(
    view.services.map(({ service, type }) => [`${service.namespace}/${service.name}`, type]),
  );
  prober.touchAll(
    (key) =>
      (namespaces === undefined || namespaces.includes(key.slice(0, key.indexOf('/')))) &&
      (serviceTypes === undefined || serviceTypes.includes(types.get(key) ?? '')),
    force,
  );
  const { cycle } = engine;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const forget = view.listen(() => {
    if (view.cycle > cycle) resolve();
  });
  const late = setTimeout(
    () => reject(new Error('the discovery is not complete yet; GET /ready tells what is wrong')),
    LONGEST_DISCOVERY,
  ).unref();
  engine.wake();
  try {
    await promise;
  } finally {
    clearTimeout(late);
    forget();
  }
  return view.services.length;
}

/**
 * What the API has done, by the parts that work now.
 * @param working throws ProblemError while there are none
 */
export function backingOf(
  working: () => Working,
  view: View,
  configuration: LiveConfiguration,
  version: string,
): Backing {
  const checks = new TextChecks();
  return {
    view,
    version,
    now: () => new Date(),
    types: () => [...working().assembly.types].sort(),
    leads: () => working().assembly.leader.mayPublish(),
    switchedOff(text) {
      const read = readOverrides(text);
      const tools = 'value' in read ? read.value.tools : {};
      return new Set(Object.keys(tools).filter((name) => tools[name]?.enabled === false));
    },
    generate(services) {
      const now = working().assembly;
      const { engine: options } = now;
      const found = services === undefined ? view.services : described(services, now);
      const kinds = toolKinds(options.stages.rules);
      return generate(found, { ...options.generation, kinds, overrides: NO_OVERRIDES });
    },
    async check(kind, content, client) {
      try {
        return await checks.check(kind, content, client);
      } catch (error) {
        throw refusedCheck(error);
      }
    },
    discover: (request) => rediscover(request, working(), view),
    reload: () => configuration.reload(),
  };
}
