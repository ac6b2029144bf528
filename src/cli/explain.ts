import { styleText } from 'node:util';
import type { Configuration } from '../app/configuration.ts';
import { readCurrentState, withCurrentState } from '../app/current-state.ts';
import { openInput, stagesOf } from '../app/pipeline.ts';
import { idsOf } from '../controller/backend-ids.ts';
import { Catalog, type CatalogInputs } from '../controller/catalog.ts';
import { sinceOf } from '../controller/company.ts';
import { splitCandidate } from '../controller/entry-points.ts';
import { permitted } from '../controller/outcome.ts';
import { discover, type Stages, toolKinds } from '../controller/pass.ts';
import { withinUsableShards } from '../controller/usable-shards.ts';
import { type Explanation, explain } from '../detection/explain.ts';
import type { BeyondLimit } from '../detection/limit-candidates.ts';
import { selectionOf } from '../detection/selection.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import type { Backend } from '../model/backend.ts';
import {
  type Approval,
  type Candidate,
  type DiscoveredService,
  type Problem,
  problemLine,
  type Verdict,
} from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import { ConfigError, UserError } from '../model/errors.ts';
import { displayKey, HOME_CLUSTER } from '../model/key.ts';
import type { Overrides } from '../model/overrides.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { defaultName, type Service, serviceKey } from '../model/service.ts';
import { visibleTexts } from '../model/visible.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';
import type { Questions } from '../outputs/output.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { admissionOf, whyReadOnlyIsIgnored, withTrustedReadOnly } from '../planning/admission.ts';
import { findingsOf } from '../planning/conditions/conditions.ts';
import type { PublicationState } from '../planning/conditions/published.ts';
import type { Prober } from '../probing/prober.ts';
import { readOnce } from '../sources/source.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { asJson } from './explain/json.ts';
import type { ExplainResult, StillPublished } from './explain/result.ts';
import { whyStill } from './explain/still-published.ts';
import { asText, type Paint } from './explain/text.ts';
import { type InputFlags, inputOf } from './input-flags.ts';
import { missingService } from './not-found.ts';
import { warn, writePainted } from './output.ts';
import { storedSettings } from './stored-settings.ts';
import { hasColours } from './terminal.ts';
import { warnOfUnknownState, whyApprovalsUnknown } from './unknown-state.ts';
import { withProgress } from './with-progress.ts';

export interface ExplainFlags extends InputFlags {
  readonly output: 'text' | 'json';
}

/** Parses `namespace/name` of a Service. @throws UserError */
export function parseKey(text: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = '', ...rest] = text.replace(/^(services?|svc)\//, '').split('/');
  if (namespace === '' || name === '' || rest.length > 0) {
    // The default name of a tool.
    const [, service, place] = /^([a-z0-9-]+)\.([a-z0-9-]+)$/.exec(text) ?? [];
    const hint =
      service === undefined
        ? 'for example monitoring/prometheus-server'
        : `here probably ${place}/${service}`;
    throw new ConfigError(`"${text}" names no Service; write <namespace>/<service>, ${hint}`);
  }
  return { namespace, name };
}

const NOT_PROBED: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: '',
  steps: [],
};

/**
 * The Services of all other configured namespaces, which share the limits. Empty if they cannot be read, or if the input
 * is standard input, which cannot be read twice.
 */
async function otherServices(
  namespace: string,
  flags: ExplainFlags,
  configured: Configuration,
  kube: KubeClient | undefined,
  cli: CliContext,
): Promise<readonly Service[]> {
  if (flags.filename?.includes('-') === true) return [];
  try {
    const { namespace: _, ...everywhere } = flags;
    const input = await openInput(inputOf(everywhere, cli), configured, false, kube);
    const { services } = await readOnce(input.source, cli.signal);
    return services.filter((service) => service.namespace !== namespace);
  } catch (error) {
    cli.signal.throwIfAborted();
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** Reads what `explain` needs before it probes: the Services of one namespace, the overrides and the published tools. */
async function readInput(text: string, flags: ExplainFlags, cli: CliContext) {
  const { namespace, name } = parseKey(text);
  const scoped = { ...flags, namespace, allNamespaces: false };
  const stored = await storedSettings(flags, cli);
  const { kube, settingsFor, policy: configured, areSettingsUnknown } = stored;
  const settings = await settingsFor(scoped);
  const input = await openInput(inputOf(scoped, cli), settings, false, kube);
  const { sync, state } = await withProgress(cli.output, cli.env, async (progress) => {
    progress?.show(`listing Services in ${input.where}`);
    const read = await readOnce(input.source, cli.signal);
    return { sync: read, state: await readCurrentState(settings, input, stored, cli.signal) };
  });
  const stages = withCurrentState(await stagesOf(settings, input, { keepsTexts: true }), state);
  // Trust and shared limits depend on the configured namespaces, not on the explained one.
  const policy = {
    ...settings,
    namespaces: configured.namespaces,
    approvalsUnknown: whyApprovalsUnknown(state),
  };
  const { services, elsewhere } = sync;
  return {
    namespace,
    name,
    configured,
    policy,
    input,
    services,
    elsewhere,
    state,
    stages,
    areSettingsUnknown,
  };
}

type ExplainInput = Awaited<ReturnType<typeof readInput>>;

/** The entry points of a candidate, preferred one first. */
const entryPointsOf = (candidate: Candidate | undefined): readonly Candidate[] =>
  candidate === undefined ? [] : [candidate, ...candidate.fallbacks];

/** Drops the texts of tools: those of hundreds of servers, which are not shown, would take a lot of memory. */
const withoutTexts = ({ tools, ...verdict }: Verdict): Verdict =>
  tools === undefined ? verdict : { ...verdict, tools: tools.map(({ texts: _, ...tool }) => tool) };

/**
 * A prober that probes one backend only, and records its verdicts.
 * @param verdicts receives the verdicts, by Service name
 */
function proberFor(
  candidate: Candidate | undefined,
  { namespace, stages }: ExplainInput,
  verdicts: Map<string, Verdict>,
): Prober {
  const { prober, rules } = stages;
  const entryPoints = entryPointsOf(candidate);
  const names = new Set(entryPoints.map((way) => way.service.name));
  // Services of the same Pods may prove to be the same backend.
  const pods = new Set(entryPoints.flatMap((way) => selectionOf(way.service).key ?? []));
  const isMeant = ({ service }: Candidate): boolean =>
    service.namespace === namespace && (names.has(service.name) || pods.has(selectionOf(service).key ?? ''));
  return {
    ...(prober.prepare === undefined ? {} : { prepare: prober.prepare.bind(prober) }),
    probe: async (way, signal) => {
      // Other MCP servers are probed too, because all of them share the limit on tools.
      if (!isMeant(way) && (candidate === undefined || way.mcp !== true)) return NOT_PROBED;
      const verdict = permitted(way, await prober.probe(way, signal), rules);
      if (!isMeant(way)) return withoutTexts(verdict);
      verdicts.set(way.service.name, verdict);
      return verdict;
    },
  };
}

/** The state of a publication without anything that holds it. */
const UNHELD: PublicationState = {
  isKnown: true,
  rollback: undefined,
  overrideError: undefined,
  failure: undefined,
  decides: true,
};

/**
 * The id and conditions of the backend, and what they would be if the generated documents were published. A backend whose
 * answers contradict its detector has conditions but no id.
 */
function backendState(
  explanation: Explanation,
  service: DiscoveredService | undefined,
  verdict: Verdict | undefined,
  found: readonly DiscoveredService[],
  { cuts, omissions, tools: generated }: Pick<Generated, 'cuts' | 'omissions' | 'tools'>,
  { state, policy }: ExplainInput,
): Pick<ExplainResult, 'id' | 'conditions' | 'published' | 'generated'> {
  const { overrides, tools, publication, leftOutOf, groups } = state;
  const ids = idsOf(found, groups);
  const stateOf = (change: Pick<CatalogInputs, 'tools' | 'publication'>): Backend | undefined => {
    const catalog = new Catalog();
    catalog.update({ found, ids, overrides, policy, cuts, omissions, leftOutOf, ...change }, new Date());
    return service === undefined ? undefined : catalog.of(serviceKey(service.service));
  };
  const backend = stateOf({ tools, publication });
  const after = stateOf({ tools: generated, publication: UNHELD });
  if (backend !== undefined) {
    const { id, conditions, instead } = backend;
    const published = publication.isKnown ? (backend.published ?? instead?.published) : after?.published;
    return { id, conditions, published, generated: after };
  }
  const { candidate } = explanation;
  if (candidate === undefined || verdict === undefined)
    return { id: undefined, conditions: [], published: undefined, generated: undefined };
  const left = { ...candidate, verdict };
  const facts = {
    state: publication,
    isOutage: false,
    namespace: candidate.service.namespace,
    isPublished: false,
    isFound: true,
    approval: admissionOf(left, policy, overrides),
    switchedOff: undefined,
    hasOwnAddress: false,
    cuts: [],
    omissions: [],
  };
  return { id: undefined, conditions: findingsOf(left, facts), published: undefined, generated: undefined };
}

/** Why the agent asks before each tool of an MCP server, also before read-only ones; `undefined` if it does not. */
const whyAsked = (
  found: DiscoveredService,
  approval: Approval | undefined,
  overrides: Overrides,
  questions: Questions | undefined,
): string | undefined => {
  const { tools = [] } = found.verdict;
  if (questions !== undefined && !tools.every(({ name }) => questions.asksBefore(name))) return undefined;
  return (
    (approval && whyReadOnlyIsIgnored(found, approval, overrides)) ??
    OUTPUTS.whyAsksBeforeEach(displayKey(found.service), found.verdict, overrides)
  );
};

/** Before which tools of an MCP server the agent asks. `undefined` for other backends. */
function questionsAbout(
  found: DiscoveredService,
  approval: Approval,
  overrides: Overrides,
): Questions | undefined {
  if (found.mcp !== true) return undefined;
  const { verdict } = withTrustedReadOnly(found, approval, overrides);
  return OUTPUTS.questionsOf(displayKey(found.service), verdict, overrides);
}

/** The names of the published tools of a Service in the home cluster. */
const publishedOf = (
  { namespace, name }: Pick<Service, 'namespace' | 'name'>,
  tools: readonly PublishedTool[],
): readonly string[] =>
  tools
    .filter(
      (tool) => tool.cluster === undefined && tool.namespace === namespace && tool.metadata.service === name,
    )
    .map((tool) => tool.name);

/**
 * The published tools of a Service that is left out now, or does not exist.
 * @param successor the entry point in use of the same backend
 */
const stillPublished = (
  service: Pick<Service, 'namespace' | 'name'>,
  { state, configured, areSettingsUnknown }: ExplainInput,
  isServiceGone: boolean,
  successor?: string,
): readonly StillPublished[] => {
  const { publication, removalHeld, tools } = state;
  const hold = areSettingsUnknown ? undefined : configured.removalHold;
  const facts = { publication, removalHeld, hold, now: Date.now() };
  return publishedOf(service, tools).map((tool) => ({
    tool,
    why: whyStill(tool, facts, isServiceGone, successor),
  }));
};

/** The tool to which `overrides.yaml` gives a URL of its own, so that it names no Service, and has the name of one. */
function ownToolOf(
  services: readonly string[],
  namespace: string,
  tools: readonly PublishedTool[],
): PublishedTool | undefined {
  const names = services.map((name) => defaultName({ cluster: HOME_CLUSTER, namespace, name }));
  return tools.find(({ name, metadata }) => metadata.service === undefined && names.includes(name));
}

/** Why the limit on backends leaves one out before it is probed; `undefined` if it does not. */
function limitOf(candidate: Candidate | undefined, beyond: BeyondLimit | undefined): Problem | undefined {
  if (candidate === undefined || beyond === undefined) return undefined;
  const key = serviceKey(candidate.service);
  if (!beyond.candidates.some(({ service }) => serviceKey(service) === key)) return undefined;
  const { what, fix } = beyond;
  return { where: 'all namespaces', what, fix };
}

/** An explanation with the backend of the Service itself, if a new Service connects several backends that are in use. */
function withOwnBackend(
  explanation: Explanation,
  { inUse = new Set(), companions = new Map() }: Pick<Stages, 'inUse' | 'companions'>,
): Explanation {
  const { candidate, service } = explanation;
  if (candidate === undefined) return explanation;
  const own = splitCandidate(candidate, { inUse, companions }).find(({ service: { name }, alternates }) =>
    [name, ...alternates].includes(service.name),
  );
  return { ...explanation, candidate: own ?? candidate };
}

const distinctProblems = (problems: readonly Problem[]): readonly Problem[] => [
  ...new Map(problems.map((problem) => [problemLine(problem), problem])).values(),
];

/** What `serve` would generate: with no more ConfigMaps than it can write, if these may be read. */
async function generateAsServe(
  { policy, stages, state, input: { kube } }: ExplainInput,
  generateWith: (generation: Omit<GenerateOptions, 'overrides'>) => Generated,
  signal: AbortSignal,
): Promise<{ readonly proposal: Generated; readonly notes: readonly Problem[] }> {
  const generation = { ...policy, kinds: toolKinds(stages.rules) };
  if (kube === undefined || state.fault !== undefined)
    return { proposal: generateWith(generation), notes: [] };
  const { targetOf } = await import('../app/target.ts');
  return withinUsableShards(targetOf(kube, policy), generation, generateWith, signal);
}

/** Probes the backend of a Service, and collects everything that `explain` prints. */
async function explainService(
  input: ExplainInput,
  flags: ExplainFlags,
  cli: CliContext,
): Promise<ExplainResult> {
  const { namespace, name, services, stages, state, policy, configured } = input;
  const key = serviceKey({ cluster: HOME_CLUSTER, namespace, name });
  const detected = explain(services, key, stages.rules, stages.detection);
  const explanation = detected && withOwnBackend(detected, stages);
  if (explanation === undefined) {
    const known = services.map((service) => service.name).sort();
    const missing = await missingService(namespace, name, known, input.input, cli.signal, input.elsewhere);
    const still = stillPublished({ namespace, name }, input, true).map(
      ({ tool, why }) => ` Its tool ${tool} is still published: ${why}`,
    );
    throw new ConfigError([missing, ...still].join(missing.endsWith('?') ? '' : '.'));
  }
  const { candidate } = explanation;
  const probed = new Map<string, Verdict>();
  const found = await withProgress(cli.output, cli.env, async (progress) => {
    progress?.show('asking the backend');
    const others =
      candidate === undefined ? [] : await otherServices(namespace, flags, configured, input.input.kube, cli);
    const only = { ...stages, prober: proberFor(candidate, input, probed) };
    return discover([...services, ...others], only, cli.signal);
  });
  const names = new Set(entryPointsOf(candidate).map((way) => way.service.name));
  const service = found.services.find(
    ({ service: way, alternates }) =>
      way.namespace === namespace && (names.has(way.name) || alternates.includes(name)),
  );
  const used = service?.service.name ?? candidate?.service.name ?? name;
  const places = [...[used, name].map((each) => `Service ${namespace}/${each}`), `namespace ${namespace}`];
  const { overrides } = state;
  const inUseSince = sinceOf(found);
  const { proposal: generated, notes } = await generateAsServe(
    input,
    (generation) => generate(found.services, { ...generation, overrides, inUseSince }),
    cli.signal,
  );
  const cuts = generated.cuts.filter(({ key }) => key === `${namespace}/${used}`);
  if (cuts.some(({ limit }) => limit === 'document_bytes')) warn(cli.output, notes);
  const verdict = probed.get(used);
  const approval = service === undefined ? undefined : admissionOf(service, policy, overrides);
  const questions = service && approval && questionsAbout(service, approval, overrides);
  // Without what overrides decide, the verdict is the same.
  if (state.fault === undefined || approval?.state === 'unknown') warnOfUnknownState(state, configured, cli);
  return {
    explanation: service === undefined ? explanation : { ...explanation, candidate: service },
    probed,
    verdict,
    service,
    approval,
    asksBeforeEach: service === undefined ? undefined : whyAsked(service, approval, overrides, questions),
    questions,
    problems: distinctProblems([
      ...found.problems.filter(({ where }) => places.includes(where)),
      ...explanation.ignored,
    ]),
    limit: limitOf(candidate, found.beyond),
    cuts,
    ...backendState(explanation, service, verdict, found.services, generated, input),
    stillPublished:
      service?.service.name === name
        ? []
        : stillPublished({ namespace, name }, input, false, service?.service.name),
    isPublicationKnown: state.publication.isKnown,
    ownTool: ownToolOf([used, name, ...(service?.alternates ?? [])], namespace, generated.tools),
  };
}

/** `explain`: shows why a Service is, or is not, a backend. @returns the exit code */
export async function explainCommand(text: string, flags: ExplainFlags, cli: CliContext): Promise<number> {
  const explained = await explainService(await readInput(text, flags, cli), flags, cli);
  const { result } = cli.output;
  if (flags.output === 'json') {
    result.write(asJson(explained));
    return EXIT.ok;
  }
  const colour = hasColours(result, cli.env);
  const paint: Paint = (style, words) =>
    colour ? styleText(style, words, { validateStream: false }) : words;
  writePainted(result, asText(visibleTexts(explained), paint, result.isTTY === true));
  return EXIT.ok;
}
