import { styleText } from 'node:util';
import { type Backend, backendJson } from '../model/backend.ts';
import { conditionOf, findingJson } from '../model/condition.ts';
import { endpointUrl, type Problem, problemLine, type Verdict } from '../model/discovery.ts';
import { hideInMessage } from '../model/redact-text.ts';
import { jsonText, visible } from '../model/visible.ts';
import type { Format } from './choices.ts';
import type { Output, Sink } from './cli-context.ts';
import { columns } from './table.ts';

/** Writes a text with our own colours. The caller has escaped untrusted texts with `visible`. */
export function writePainted(sink: Sink, text: string): void {
  if (sink.writePainted === undefined) sink.write(text);
  else sink.writePainted(text);
}

const COLOURS = { healthy: 'green', unhealthy: 'red', unknown: 'yellow' } as const;

/** How to print a table: with or without colours, and at which width. */
export interface TableStyle {
  readonly colour: boolean;
  readonly width?: number | undefined;
}

/** Columns that are truncated on a narrow terminal: PROBE and WHY. Columns that users copy from are not. */
const ELASTIC_COLUMNS = [7, 6];

/** `yes` if a backend is published, otherwise the reason why not. */
function publishedCell({ conditions }: Backend): string {
  const { status, reason } = conditionOf(conditions, 'Published') ?? { status: 'Unknown', reason: '' };
  return status === 'True' ? 'yes' : reason;
}

/** The health of a backend, with what requests to it need. */
function healthCell({ health, authRequired, tenantRequired }: Verdict): string {
  if (authRequired) return `${health} (auth)`;
  return tenantRequired === true ? `${health} (tenant)` : health;
}

function serviceTable(
  backends: readonly Backend[],
  wide: boolean,
  isPublicationKnown: boolean,
  { colour, width }: TableStyle,
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
    healthCell(service.verdict),
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
  const padded = columns([head, ...rows.map((row) => row.map(visible))], width, ELASTIC_COLUMNS);
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
 * Formats backends as text.
 * @param isPublicationKnown whether the published documents were read
 */
export async function render(
  backends: readonly Backend[],
  problems: readonly Problem[],
  format: Format,
  look: TableStyle,
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

/** Writes problems as warnings, one line each. Secrets are redacted, because some problems quote answers of servers. */
export function warn(output: Output, problems: readonly Problem[]): void {
  for (const problem of problems) output.messages.write(`warning: ${hideInMessage(problemLine(problem))}\n`);
}
