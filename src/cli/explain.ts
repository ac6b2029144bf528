import { styleText } from 'node:util';
import { sinceOf } from '../controller/company.ts';
import { splitCandidate } from '../controller/entry-points.ts';
import { detectionOptions, discover, type Stages, toolKinds } from '../controller/pass.ts';
import { withinUsableShards } from '../controller/usable-shards.ts';
import { type Explanation, explain } from '../detection/explain.ts';
import type { BeyondLimit } from '../detection/limit-candidates.ts';
import {
  type Candidate,
  type ExceededLimit,
  type Problem,
  problemLine,
  type Verdict,
} from '../model/discovery.ts';
import type { Generated } from '../model/documents.ts';
import { ConfigError } from '../model/errors.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { objectName } from '../model/part.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { defaultName, type Service, serviceKey } from '../model/service.ts';
import { visibleTexts } from '../model/visible.ts';
import { type GenerateOptions, generate } from '../outputs/generate.ts';
import { admissionOf } from '../planning/admission.ts';
import type { CliContext } from './cli-context.ts';
import { EXIT } from './exit.ts';
import { type ExplainFlags, type ExplainInput, otherServices, readInput } from './explain/input.ts';
import { asJson } from './explain/json.ts';
import { entryPointsOf, proberFor } from './explain/one-backend.ts';
import { questionsAbout, whyAsked } from './explain/questions.ts';
import type { ExplainResult, StillPublished } from './explain/result.ts';
import { backendState } from './explain/state.ts';
import { whyStill } from './explain/still-published.ts';
import { asText, type Paint } from './explain/text.ts';
import { missingService } from './not-found.ts';
import { warn, writePainted } from './output.ts';
import { hasColours } from './terminal.ts';
import { warnOfUnknownState } from './unknown-state.ts';
import { withProgress } from './with-progress.ts';

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
  { state: { publication, tools } }: Pick<ExplainInput, 'state'>,
  isServiceGone: boolean,
  successor?: string,
): readonly StillPublished[] =>
  publishedOf(service, tools).map((tool) => ({
    tool,
    why: whyStill(tool, publication, isServiceGone, successor),
  }));

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
function limitOf(
  candidate: Candidate | undefined,
  beyond: BeyondLimit | undefined,
): ExceededLimit | undefined {
  if (candidate === undefined || beyond === undefined) return undefined;
  const key = serviceKey(candidate.service);
  return beyond.candidates.some(({ service }) => serviceKey(service) === key) ? beyond.limit : undefined;
}

/** Whether a problem is about a limit, which the verdict names. */
const isAbout = (limit: ExceededLimit | undefined, { where, fix }: Problem): boolean =>
  limit !== undefined && where === limit.where && fix === limit.fix;

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
  const detected = explain(services, key, stages.rules, detectionOptions(stages));
  const explanation = detected && withOwnBackend(detected, stages);
  if (explanation === undefined) {
    const whole = serviceKey({ cluster: HOME_CLUSTER, namespace, name: objectName({ name }) });
    const parts = explain(services, whole, stages.rules, detectionOptions(stages))?.parts?.keys() ?? [];
    const known = [...services.map((service) => service.name), ...parts].sort();
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
  const limit = limitOf(candidate, found.beyond) ?? explanation.limit;
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
  const questions = service && approval && questionsAbout(service, approval, overrides, state.inForce);
  // Without what overrides decide, the verdict is the same.
  if (state.fault === undefined || approval?.state === 'unknown') warnOfUnknownState(state, configured, cli);
  return {
    source: input.source,
    explanation: service === undefined ? explanation : { ...explanation, candidate: service },
    probed,
    verdict,
    service,
    approval,
    asksBeforeEach: service === undefined ? undefined : whyAsked(service, approval, overrides, questions),
    questions,
    problems: distinctProblems([
      ...found.problems.filter((each) => places.includes(each.where) && !isAbout(limit, each)),
      ...explanation.ignored,
    ]),
    limit,
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
