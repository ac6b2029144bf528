import { styleText } from 'node:util';
import { type Backend, backendJson } from '../model/backend.ts';
import { conditionOf, findingJson } from '../model/condition.ts';
import { endpointUrl, type Problem, problemLine } from '../model/discovery.ts';
import { hideSecrets } from '../model/redact-text.ts';
import { jsonText, visible } from '../model/visible.ts';
import type { Format } from './choices.ts';
import type { Output, Sink } from './cli-context.ts';
import { columns } from './table.ts';

/** Writes a text that holds our own colours, and in which texts of others are `visible` already. */
export function writePainted(sink: Sink, text: string): void {
  if (sink.writePainted === undefined) sink.write(text);
  else sink.writePainted(text);
}

const COLOURS = { healthy: 'green', unhealthy: 'red', unknown: 'yellow' } as const;

/** How a table is shown: with colours, and cut to so many columns. */
export interface Look {
  readonly colour: boolean;
  readonly width?: number | undefined;
}

/** Columns of a table of services that are cut on a narrow terminal: what the probe heard, and why. What a person copies is not. */
const ELASTIC = [7, 6];

/** Whether a backend is published, or the reason why not. */
function publishedCell({ conditions }: Backend): string {
  const { status, reason } = conditionOf(conditions, 'Published') ?? { status: 'Unknown', reason: '' };
  return status === 'True' ? 'yes' : reason;
}

function serviceTable(
  backends: readonly Backend[],
  wide: boolean,
  isPublicationKnown: boolean,
  { colour, width }: Look,
): string {
  const services = backends.map(({ found }) => found);
  const approvals = backends.map(({ approval }) => approval.state);
  const showApproval = wide && approvals.some((state) => state !== 'open');
  const header = ['NAMESPACE', 'NAME', 'TYPE', 'ENDPOINT', 'HEALTH'];
  const rows = services.map((service, index) => [
    service.service.namespace,
    service.service.name,
    service.type,
    endpointUrl(service.endpoint),
    service.verdict.authRequired ? `${service.verdict.health} (auth)` : service.verdict.health,
    ...(wide ? [service.certainty, service.evidence[0]?.detail ?? '', service.verdict.reason] : []),
    ...(showApproval ? [approvals[index] === 'open' ? '' : (approvals[index] ?? '')] : []),
    ...(wide && isPublicationKnown ? backends.slice(index, index + 1).map(publishedCell) : []),
  ]);
  const head = [
    ...header,
    ...(wide ? ['CERTAINTY', 'WHY', 'PROBE'] : []),
    ...(showApproval ? ['APPROVAL'] : []),
    ...(wide && isPublicationKnown ? ['PUBLISHED'] : []),
  ];
  const padded = columns([head, ...rows.map((row) => row.map(visible))], width, ELASTIC);
  return padded
    .map((row, index) => {
      const health = services[index - 1]?.verdict.health;
      const cells = row.map((cell, column) =>
        colour && column === 4 && health !== undefined
          ? styleText(COLOURS[health], cell, { validateStream: false })
          : cell,
      );
      return `${cells.join('').trimEnd()}\n`;
    })
    .join('');
}

/**
 * Backends in a format, as text.
 * @param isPublicationKnown what is published was read
 */
export async function render(
  backends: readonly Backend[],
  problems: readonly Problem[],
  format: Format,
  look: Look,
  isPublicationKnown = false,
): Promise<string> {
  if (format === 'table' || format === 'wide')
    return backends.length === 0 ? '' : serviceTable(backends, format === 'wide', isPublicationKnown, look);
  if (format === 'name')
    return backends.map(({ found: { service } }) => `${service.namespace}/${service.name}\n`).join('');
  const document = {
    services: backends.map((backend) => backendJson(backend, findingJson)),
    warnings: problems,
  };
  if (format === 'json') return `${jsonText(document, 2)}\n`;
  const { yamlText } = await import('./yaml-output.ts');
  return yamlText(document);
}

/** Writes problems as warnings, a line each, without secrets: what servers answered stands in some. */
export function warn(output: Output, problems: readonly Problem[]): void {
  for (const problem of problems) output.messages.write(`warning: ${hideSecrets(problemLine(problem))}\n`);
}
