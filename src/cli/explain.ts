import { styleText } from 'node:util';
import type { Configuration } from '../app/configuration.ts';
import { decidedIn, deciding } from '../app/decided.ts';
import { openInput, stagesOf } from '../app/pipeline.ts';
import { permitted } from '../controller/outcome.ts';
import { discover, toolKinds } from '../controller/pass.ts';
import { type Explanation, explain } from '../detection/explain.ts';
import { selectionOf } from '../detection/selection.ts';
import type { KubeClient } from '../kubernetes/connection.ts';
import {
  type Approval,
  type Candidate,
  type DiscoveredService,
  endpointUrl,
  type Problem,
  type Verdict,
} from '../model/discovery.ts';
import type { Cut } from '../model/documents.ts';
import { ConfigError, UserError } from '../model/errors.ts';
import { HOME_CLUSTER } from '../model/key.ts';
import { type Service, serviceKey } from '../model/service.ts';
import { jsonText, visibleTexts } from '../model/visible.ts';
import { generate } from '../outputs/generate.ts';
import { admissionOf, isHeld } from '../planning/admission.ts';
import { switchedOffBeside } from '../planning/switched-off.ts';
import { toolCount, toolLines } from '../planning/tool-list.ts';
import type { Prober } from '../probing/prober.ts';
import { readOnce } from '../sources/source.ts';
import { EXIT } from './exit.ts';
import { type InputFlags, inputOf, settingsOf } from './given.ts';
import type { Invocation } from './invocation.ts';
import { missingService } from './not-found.ts';
import { writePainted } from './output.ts';
import { hasColours } from './terminal.ts';
import { withProgress } from './with-progress.ts';

export interface ExplainFlags extends InputFlags {
  readonly output: 'text' | 'json';
}

/** Most tools of an MCP server that are listed. */
const MOST_TOOLS = 100;

/** All that is known of how one Service came to its verdict. */
interface Story {
  readonly explanation: Explanation;
  /** The ways into its backend that were asked, by their Services' names, in order. */
  readonly asked: ReadonlyMap<string, Verdict>;
  /** What the way that is used answered; of a backend that is left out, the preferred one. */
  readonly verdict: Verdict | undefined;
  readonly service: DiscoveredService | undefined;
  readonly approval: Approval | undefined;
  /** Why it is left out though nothing is wrong with it: a Service of its Pods is switched off. */
  readonly off: string | undefined;
  readonly problems: readonly Problem[];
  /** What limits take of its tool. */
  readonly cuts: readonly Cut[];
}

/** `namespace/name` of a Service, as a person types it. @throws UserError */
export function parseKey(text: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = '', ...rest] = text.replace(/^(services?|svc)\//, '').split('/');
  if (namespace === '' || name === '' || rest.length > 0)
    throw new ConfigError(
      `"${text}" names no Service; write <namespace>/<service>, for example monitoring/prometheus-server`,
    );
  return { namespace, name };
}

const NOT_ASKED: Verdict = {
  health: 'unknown',
  authRequired: false,
  proof: 'unproven',
  reason: '',
  steps: [],
};

/** Whether a limit keeps a tool out of all documents. */
const keepsOut = ({ limit }: Cut): boolean => limit === 'namespace_tools' || limit === 'document_bytes';

function asJson({ explanation, verdict, service, approval, off, problems, cuts }: Story): string {
  const { candidate, detectors, keptOut } = explanation;
  return `${jsonText(
    {
      service: explanation.service,
      keptOut,
      detectors,
      backend:
        candidate === undefined
          ? undefined
          : {
              service: candidate.service.name,
              type: service?.type ?? candidate.type,
              endpoint: endpointUrl((service ?? candidate).endpoint),
              certainty: candidate.certainty,
              tool: (service ?? candidate).tool,
              alternates: candidate.alternates,
              evidence: candidate.evidence,
            },
      probe: verdict,
      approval,
      limits: cuts,
      used:
        service !== undefined &&
        off === undefined &&
        service.verdict.health !== 'unhealthy' &&
        !cuts.some(keepsOut) &&
        !(approval !== undefined && isHeld(approval)),
      warnings: problems,
    },
    2,
  )}\n`;
}

const PARTS = { ports: 'ports', labels: 'labels', selector: 'selector entries' } as const;

/** What of a Service that holds very much is not looked at. */
function trimmedParts(service: Service): string[] {
  const { trimmed = {} } = service;
  return (['ports', 'labels', 'selector'] as const).flatMap((part) => {
    const all = trimmed[part];
    const kept = part === 'ports' ? service.ports.length : Object.keys(service[part]).length;
    return all === undefined
      ? []
      : [`it has ${all} ${PARTS[part]}, but only ${kept} are considered, first those that rules name`];
  });
}

function asText(
  story: Story,
  paint: (style: 'bold' | 'green' | 'red' | 'dim', text: string) => string,
): string {
  const { explanation, verdict, service, approval, problems } = story;
  const { candidate, detectors, keptOut } = explanation;
  const key = `${explanation.service.namespace}/${explanation.service.name}`;
  const lines: string[] = [paint('bold', `Service ${key}`), ''];
  const section = (title: string): void => void lines.push(paint('bold', title));
  const item = (text: string): void => void lines.push(`  ${text}`);

  section('Detectors');
  const matched = detectors.filter((detector) => detector.matched);
  const near = detectors.filter((detector) => !detector.matched && detector.near);
  const others = detectors.filter((detector) => !detector.matched && !detector.near);
  for (const { type, reasons } of matched)
    for (const [index, reason] of reasons.entries())
      item(`${index === 0 ? paint('green', `✔ ${type.padEnd(16)}`) : ' '.repeat(18)} ${reason}`);
  for (const { type, reasons } of near) item(`${paint('red', `✘ ${type.padEnd(16)}`)} ${reasons[0]}`);
  for (const [why, group] of Map.groupBy(others, ({ reasons }) => reasons[0]))
    item(paint('dim', `· ${why}: ${group.map(({ type }) => type).join(', ')}`));
  lines.push('');

  if (candidate !== undefined) {
    section('Backend');
    const self = candidate.service.name === explanation.service.name;
    if (!self)
      item(`leads to the same backend as ${candidate.service.name}, which is the entry point in use`);
    for (const { signal, detail } of candidate.evidence)
      if (!self || signal === 'scheme' || signal === 'path' || signal === 'group')
        item(`${signal.padEnd(18)} ${detail}`);
    item(`${'endpoint'.padEnd(18)} ${endpointUrl((service ?? candidate).endpoint)}`);
    lines.push('');
  }
  if (verdict !== undefined) {
    section('Probe');
    const { asked: ways } = story;
    for (const [name, { health, proof, reason, steps }] of ways) {
      if (ways.size > 1) item(paint('bold', name));
      for (const { asked, answered } of steps) item(`${asked}  →  ${answered}`);
      item(`${health}, ${proof}: ${reason}`);
    }
    lines.push('');
  }
  if (verdict?.tools !== undefined) {
    section(`Tools of the server: ${toolCount(verdict)}`);
    for (const line of toolLines(verdict, MOST_TOOLS)) item(line);
    lines.push('');
  }
  const parts = trimmedParts(explanation.service);
  if (problems.length > 0 || parts.length > 0) {
    section('Notes');
    for (const text of parts) item(text);
    for (const { what, fix } of problems) item(fix === undefined ? what : `${what}; ${fix}`);
    lines.push('');
  }
  section('Verdict');
  if (keptOut !== undefined) item(`left out: ${keptOut}`);
  else if (candidate === undefined)
    item(matched.length > 0 ? 'left out, see above' : 'not a backend: no detector matches');
  else if (candidate.service.name !== explanation.service.name)
    item(`no tool of its own: ${candidate.service.name} is the one for this ${candidate.type}`);
  else if (service === undefined)
    item(
      candidate.certainty === 'hint'
        ? `left out: a hint of ${candidate.type} counts only together with a proof`
        : `left out: ${verdict?.reason ?? 'it was not probed'}`,
    );
  else if (service.verdict.health === 'unhealthy')
    item(`${service.type}, and left out of the documents while it is unhealthy`);
  else if (approval !== undefined && isHeld(approval)) item(`${service.type}, ${approval.reason}`);
  else if (story.off !== undefined) item(`${service.type}, ${story.off}`);
  else if (story.cuts.some(keepsOut))
    item(`${service.type}, found, but not published: ${story.cuts.find(keepsOut)?.why}`);
  else {
    item(`${service.type}, in the documents as the tool ${service.tool}`);
    for (const { limit, why } of story.cuts)
      item(
        limit === 'agent_tools'
          ? `it is in toolset.json only, and left out of custom_toolset.yaml: ${why}`
          : `its owner's description is not in them: ${why}`,
      );
  }
  return `${lines.join('\n')}\n`;
}

/**
 * The Services of all configured namespaces but one: limits are shared with them. What cannot be read is left out, and from
 * standard input nothing can be read twice.
 */
async function elsewhere(
  namespace: string,
  flags: ExplainFlags,
  configured: Configuration,
  kube: KubeClient | undefined,
  run: Invocation,
): Promise<readonly Service[]> {
  if (flags.filename?.includes('-') === true) return [];
  try {
    const { namespace: _, ...everywhere } = flags;
    const input = await openInput(inputOf(everywhere, run), configured, false, kube);
    const { services } = await readOnce(input.source, run.signal);
    return services.filter((service) => service.namespace !== namespace);
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof UserError) return [];
    throw error;
  }
}

/** `explain`: how the verdict on one Service came to be. @returns the exit code */
export async function explainCommand(text: string, flags: ExplainFlags, run: Invocation): Promise<number> {
  const { namespace, name } = parseKey(text);
  const scoped = { ...flags, namespace, allNamespaces: false };
  const settings = await settingsOf(scoped, run);
  // Trust and shared limits go by the configured namespaces, not by the one that is explained.
  const configured = await settingsOf(flags, run);
  const input = await openInput(inputOf(scoped, run), settings, false);
  const { sync, before } = await withProgress(run.output, run.env, async (progress) => {
    progress?.tell(`listing Services in ${input.where}`);
    const read = await readOnce(input.source, run.signal);
    return { sync: read, before: await decidedIn(settings, input, run.signal) };
  });
  const stages = deciding(await stagesOf(settings, input), before);
  const key = serviceKey({ cluster: HOME_CLUSTER, namespace, name });
  const explanation = explain(sync.services, key, stages.rules, stages.detection);
  if (explanation === undefined) {
    const known = sync.services.map((service) => service.name).sort();
    throw new ConfigError(await missingService(namespace, name, known, input, run.signal));
  }
  const heard = new Map<string, Verdict>();
  const { candidate } = explanation;
  const ways = candidate === undefined ? [] : [candidate, ...candidate.fallbacks];
  const names = new Set(ways.map((way) => way.service.name));
  // Services of the same Pods may prove to be the same backend.
  const pods = new Set(ways.flatMap((way) => selectionOf(way.service).key ?? []));
  const counts = ({ service }: Candidate): boolean =>
    service.namespace === namespace && (names.has(service.name) || pods.has(selectionOf(service).key ?? ''));
  const only: Prober = {
    ...(stages.prober.prepare === undefined ? {} : { prepare: stages.prober.prepare.bind(stages.prober) }),
    probe: async (way, signal) => {
      const isMeant = counts(way);
      // How many tools other servers have decides how many are left for this backend.
      if (!isMeant && (candidate === undefined || way.mcp !== true)) return NOT_ASKED;
      const verdict = permitted(way, await stages.prober.probe(way, signal), stages.rules);
      if (isMeant) heard.set(way.service.name, verdict);
      return verdict;
    },
  };
  const found = await withProgress(run.output, run.env, async (progress) => {
    progress?.tell('asking the backend');
    const others =
      candidate === undefined ? [] : await elsewhere(namespace, flags, configured, input.kube, run);
    return discover([...sync.services, ...others], { ...stages, prober: only }, run.signal);
  });
  const service = found.services.find(
    ({ service: way, alternates }) =>
      way.namespace === namespace && (names.has(way.name) || alternates.includes(name)),
  );
  const used = service?.service.name ?? candidate?.service.name ?? name;
  const places = [used, name].map((each) => `Service ${namespace}/${each}`);
  const { namespaces } = configured;
  const policy = { ...settings, namespaces };
  const { overrides, published } = before;
  const kinds = toolKinds(stages.rules);
  const { cuts } = generate(found.services, { ...policy, overrides, published, kinds });
  const story: Story = {
    off: service === undefined ? undefined : switchedOffBeside(found.services, overrides)(service),
    approval: service === undefined ? undefined : admissionOf(service, policy, overrides),
    explanation: service === undefined ? explanation : { ...explanation, candidate: service },
    asked: heard,
    verdict: heard.get(used),
    service,
    cuts: cuts.filter(({ key }) => key === `${namespace}/${used}`),
    problems: found.problems.filter(({ where }) => [...places, `namespace ${namespace}`].includes(where)),
  };
  const { result } = run.output;
  const colour = hasColours(result, run.env);
  if (flags.output === 'json') result.write(asJson(story));
  else
    writePainted(
      result,
      asText(visibleTexts(story), (style, words) =>
        colour ? styleText(style, words, { validateStream: false }) : words,
      ),
    );
  return EXIT.ok;
}
