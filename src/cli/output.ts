import { styleText } from 'node:util';
import {
  type DiscoveredService,
  endpointUrl,
  type Problem,
  problemLine,
  serviceJson,
} from '../model/discovery.ts';
import { jsonText } from '../model/visible.ts';
import type { Format } from './choices.ts';
import { columns } from './table.ts';

/** Where a command writes: results to one stream, everything else to the other. */
export interface Output {
  readonly result: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly messages: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

const COLOURS = { healthy: 'green', unhealthy: 'red', unknown: 'yellow' } as const;

/** How a table is shown: with colours, and cut to so many columns. */
export interface Look {
  readonly colour: boolean;
  readonly width?: number | undefined;
}

/** Columns of a table of services that are cut on a narrow terminal: what the probe heard, and why. What a person copies is not. */
const ELASTIC = [7, 6];

function serviceTable(
  services: readonly DiscoveredService[],
  wide: boolean,
  { colour, width }: Look,
): string {
  const header = ['NAMESPACE', 'NAME', 'TYPE', 'ENDPOINT', 'HEALTH'];
  const rows = services.map((service) => [
    service.service.namespace,
    service.service.name,
    service.type,
    endpointUrl(service.endpoint),
    service.verdict.authRequired ? `${service.verdict.health} (auth)` : service.verdict.health,
    ...(wide ? [service.certainty, service.evidence[0]?.detail ?? '', service.verdict.reason] : []),
  ]);
  const padded = columns([wide ? [...header, 'CERTAINTY', 'WHY', 'PROBE'] : header, ...rows], width, ELASTIC);
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

/** The discovered services in a format, as text. */
export async function render(
  services: readonly DiscoveredService[],
  problems: readonly Problem[],
  format: Format,
  look: Look,
): Promise<string> {
  if (format === 'table' || format === 'wide')
    return services.length === 0 ? '' : serviceTable(services, format === 'wide', look);
  if (format === 'name')
    return services.map(({ service }) => `${service.namespace}/${service.name}\n`).join('');
  const document = { services: services.map(serviceJson), warnings: problems };
  if (format === 'json') return `${jsonText(document, 2)}\n`;
  const { yamlText } = await import('./yaml-output.ts');
  return yamlText(document);
}

/** Writes problems as warnings, a line each. */
export function warn(output: Output, problems: readonly Problem[]): void {
  for (const problem of problems) output.messages.write(`warning: ${problemLine(problem)}\n`);
}
