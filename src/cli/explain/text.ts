import type { Explanation } from '../../detection/explain.ts';
import { conditionOf } from '../../model/condition.ts';
import { endpointUrl, type Verdict } from '../../model/discovery.ts';
import { objectName } from '../../model/part.ts';
import type { Service } from '../../model/service.ts';
import { trusted } from '../../planning/conditions/trusted.ts';
import { manyLines, promptCost, toolCount, toolLines, unknownTools } from '../../planning/tool-list.ts';
import { adviceOf } from './advice.ts';
import { type ExplainResult, isUsed } from './result.ts';

export type Paint = (style: 'bold' | 'green' | 'red' | 'dim', text: string) => string;

/** A heading and the lines below it. */
interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

/** Creates a section. `undefined` if there are no lines. */
const section = (title: string, lines: readonly string[]): Section | undefined =>
  lines.length === 0 ? undefined : { title, lines };

/** Maximum listed tools of an MCP server: all that a probe reads, because people review them before they approve it. */
const MAX_TOOLS = 512;

/** Formats the result as text. @param isTerminal whether to divide long lines of others */
export function asText(result: ExplainResult, paint: Paint, isTerminal = false): string {
  const { namespace, name } = result.explanation.service;
  const text = [
    section('Detectors', detectorLines(result.explanation, paint)),
    section('Backend', backendLines(result)),
    section('Parts', partLines(result)),
    section('Probe', probeLines(result, paint)),
    toolSection(result, isTerminal),
    section('Notes', noteLines(result)),
    section('Conditions', conditionLines(result)),
    section('Verdict', verdictLines(result)),
    section('What you can do', adviceLines(result)),
  ]
    .filter((each) => each !== undefined)
    .map(({ title, lines }) => [paint('bold', title), ...lines.map((line) => `  ${line}`)].join('\n'));
  return `${[paint('bold', `Service ${namespace}/${name}`), ...text].join('\n\n')}\n`;
}

function detectorLines({ detectors }: Explanation, paint: Paint): string[] {
  const matched = detectors.filter((detector) => detector.matched);
  const near = detectors.filter((detector) => !detector.matched && detector.near);
  const others = detectors.filter((detector) => !detector.matched && !detector.near);
  return [
    ...matched.flatMap(({ type, reasons }) =>
      reasons.map((reason, index) => {
        const head = index === 0 ? paint('green', `✔ ${type.padEnd(16)}`) : ' '.repeat(18);
        return `${head} ${reason}`;
      }),
    ),
    ...near.map(({ type, reasons }) => `${paint('red', `✘ ${type.padEnd(16)}`)} ${reasons[0]}`),
    ...[...Map.groupBy(others, ({ reasons }) => reasons[0])].map(([why, group]) =>
      paint('dim', `· ${why}: ${group.map(({ type }) => type).join(', ')}`),
    ),
  ];
}

function backendLines({ explanation, service, ownTool }: ExplainResult): string[] {
  const { candidate } = explanation;
  if (candidate === undefined) return [];
  const isEntryPoint = candidate.service.name === explanation.service.name;
  const other = `leads to the same backend as ${candidate.service.name}, which is the entry point in use`;
  const evidence = candidate.evidence.filter(
    ({ signal }) => !isEntryPoint || signal === 'scheme' || signal === 'path' || signal === 'group',
  );
  return [
    ...(isEntryPoint ? [] : [other]),
    ...evidence.map(({ signal, detail }) => `${signal.padEnd(18)} ${detail}`),
    `${'endpoint'.padEnd(18)} ${endpointUrl((service ?? candidate).endpoint)}`,
    ...(ownTool === undefined
      ? []
      : [`${'URL of its tool'.padEnd(18)} ${ownTool.endpoint}, from overrides.yaml`]),
  ];
}

/** One line for each of its parts, which are backends of their own. */
const partLines = ({ explanation: { parts = new Map() }, probed }: ExplainResult): string[] =>
  [...parts].map(([name, { type, service, evidence }]) => {
    const verdict = probed.get(name);
    const proven =
      verdict?.proof === 'proven' ? `answers as ${verdict.provenAs ?? type}` : 'counts only with a proof';
    const other = service.name === name ? proven : `leads to the same backend as ${service.name}`;
    return `${name.padEnd(18)} ${type}: ${evidence[0]?.detail}; ${other}`;
  });

/** What must be known of its certificate, unless that is in the section with the conditions. */
const certificateLines = (verdict: Verdict, { isPublicationKnown }: ExplainResult): string[] =>
  isPublicationKnown ? [] : [trusted(verdict)?.message ?? []].flat();

function probeLines(result: ExplainResult, paint: Paint): string[] {
  const { verdict, explanation } = result;
  if (verdict === undefined) return [];
  const { service, candidate } = explanation;
  const own = new Set([service.name, candidate?.service.name, ...(candidate?.alternates ?? [])]);
  // The other products behind the same Service are not what was asked for.
  const isMeant = (name: string): boolean => own.has(name) || objectName({ name }) !== objectName(service);
  const probed = new Map([...result.probed].filter(([name]) => isMeant(name)));
  return [...probed].flatMap(([name, each]) => [
    ...(probed.size > 1 ? [paint('bold', name)] : []),
    ...each.steps.map(({ asked, answered }) => `${asked}  →  ${answered}`),
    `${each.health}, ${each.proof}: ${each.reason}`,
    ...certificateLines(each, result),
  ]);
}

function toolSection(
  { verdict, asksBeforeEach, questions }: ExplainResult,
  isTerminal: boolean,
): Section | undefined {
  if (verdict?.tools === undefined) {
    if (verdict?.toolsGap === undefined) return undefined;
    return { title: 'Tools of the server', lines: [unknownTools(verdict, questions)] };
  }
  const flood = manyLines(verdict, MAX_TOOLS);
  const size = [promptCost(verdict), flood].map((each) => (each === undefined ? '' : `; ${each}`)).join('');
  return {
    title: `Tools of the server: ${toolCount(verdict)}${size}`,
    lines: toolLines(verdict, MAX_TOOLS, isTerminal, asksBeforeEach, questions),
  };
}

const PARTS = { ports: 'ports', labels: 'labels', selector: 'selector entries' } as const;

/** Notes about parts of a very large Service that were ignored. */
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

const noteLines = ({ explanation, problems, questions }: ExplainResult): string[] => [
  ...trimmedParts(explanation.service),
  ...[...(questions?.problems ?? []), ...problems].map(({ where, what, fix }) => {
    // What is about the Service itself is clear without its name.
    const place = where.startsWith('Service ') ? '' : `${where}: `;
    return `${place}${what}${fix === undefined ? '' : `; ${fix}`}`;
  }),
];

/** Unless the published documents were read, conditions repeat the sections above. */
const conditionLines = ({ conditions, isPublicationKnown }: ExplainResult): string[] =>
  isPublicationKnown
    ? conditions.map(
        ({ type, status, reason, message }) =>
          `${type.padEnd(10)} ${status.padEnd(8)} ${reason}${message === '' ? '' : `: ${message}`}`,
      )
    : [];

/** Where the tool of a backend is, according to the condition `Published`. */
function placeLine({ generated, conditions, isPublicationKnown }: ExplainResult, tool: string): string {
  const finding = conditionOf(isPublicationKnown ? conditions : (generated?.conditions ?? []), 'Published');
  if (finding === undefined) return 'not published';
  const { status, reason, message } = finding;
  if (status === 'Unknown') return message;
  // The message names the tool, too, if the documents are kept as they are and have another one.
  if (reason === 'InToolset')
    return message.includes(', as the tool ')
      ? message.replace(/^it is /, '')
      : `in the ${isPublicationKnown ? '' : 'generated '}documents as the tool ${tool}`;
  if (reason === 'KeptForNow') return `the tool ${tool}: ${message}`;
  // The message names the documents that the tool is in.
  const isInSome =
    reason === 'NeedsCredentials' ||
    reason === 'NeedsTenant' ||
    reason === 'NotSupportedByAgent' ||
    (reason === 'LimitReached' && generated?.published !== undefined) ||
    message.startsWith('left out of ');
  if (isInSome) return `the tool ${tool} ${message}`;
  return /^not (published|added): /.test(message) ? message : `not published: ${message}`;
}

/** A removal may be held, so what is left out now may be published nevertheless. */
const stillLines = ({ stillPublished }: ExplainResult): readonly string[] =>
  stillPublished.map(({ tool, why }) => `still published as the tool ${tool}: ${why}`);

/** A tool with a URL from overrides stays, whatever its Service is. */
const ownLines = ({ service, ownTool }: ExplainResult): readonly string[] =>
  service !== undefined || ownTool === undefined
    ? []
    : [
        `overrides.yaml gives the tool ${ownTool.name} its own URL, ${ownTool.endpoint}, so that one is published`,
      ];

const verdictLines = (result: ExplainResult): readonly string[] => [
  ...decisionLines(result),
  ...ownLines(result),
  ...stillLines(result),
];

const adviceLines = (result: ExplainResult): string[] =>
  adviceOf(result).flatMap(({ what, lines }) => [what, ...lines.map((line) => `  ${line}`)]);

/** The verdict on a Service that is no candidate. */
function unmatchedLine(detectors: Explanation['detectors']): string {
  if (detectors.some(({ matched }) => matched)) return 'left out, see above';
  const excluded = detectors.find((detector) => detector.excluded !== undefined);
  if (excluded !== undefined)
    return `left out: the detector ${excluded.type} would match, but ${excluded.excluded}`;
  const near = detectors.find(({ fix }) => fix !== undefined);
  return `not a backend: ${near === undefined ? 'no detector matches' : `${near.reasons[0]}; ${near.fix}`}`;
}

function decisionLines(result: ExplainResult): string[] {
  const { explanation, verdict, service, limit, cuts } = result;
  const { candidate, detectors, keptOut } = explanation;
  if (keptOut !== undefined) return [`left out: ${keptOut}`];
  const overLimit = limit === undefined ? [] : [`left out: ${limit.what}; ${limit.fix}`];
  if (candidate === undefined) return limit === undefined ? [unmatchedLine(detectors)] : overLimit;
  if (candidate.service.name !== explanation.service.name)
    return [
      `${result.stillPublished.length === 0 ? 'no tool of its own' : 'not in use now'}: ${candidate.service.name} is the one for this ${candidate.type}`,
      ...overLimit,
    ];
  if (limit !== undefined) return overLimit;
  if (service === undefined)
    return [
      candidate.certainty === 'hint'
        ? `left out: a hint of ${candidate.type} counts only together with a proof`
        : `left out: ${verdict?.reason ?? 'it was not probed'}`,
    ];
  const descriptions = isUsed(result) ? cuts.filter(({ limit }) => limit === 'description_bytes') : [];
  return [
    `${service.type}, ${placeLine(result, result.published?.name ?? service.tool)}`,
    ...descriptions.map(({ why }) => `its owner's description is not in them: ${why}`),
  ];
}
