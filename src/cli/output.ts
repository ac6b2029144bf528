import { styleText } from 'node:util';
import {
  type DiscoveredService,
  endpointUrl,
  type Problem,
  problemLine,
  serviceJson,
} from '../model/discovery.ts';
import type { Format } from './choices.ts';

/** Where a command writes: results to one stream, everything else to the other. */
export interface Output {
  readonly result: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
  readonly messages: NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number };
}

const COLOURS = { healthy: 'green', unhealthy: 'red', unknown: 'yellow' } as const;

/** Columns as wide as their longest cell, as kubectl prints them. */
function columns(rows: readonly (readonly string[])[]): string[][] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + 3))),
  );
}

/** A table as text: the first row is the header. */
export function table(rows: readonly (readonly string[])[]): string {
  return columns(rows)
    .map((row) => `${row.join('').trimEnd()}\n`)
    .join('');
}

function serviceTable(services: readonly DiscoveredService[], wide: boolean, colour: boolean): string {
  const header = ['NAMESPACE', 'NAME', 'TYPE', 'ENDPOINT', 'HEALTH'];
  const rows = services.map((service) => [
    service.service.namespace,
    service.service.name,
    service.type,
    endpointUrl(service.endpoint),
    service.verdict.authRequired ? `${service.verdict.health} (auth)` : service.verdict.health,
    ...(wide ? [service.certainty, service.evidence[0]?.detail ?? '', service.verdict.reason] : []),
  ]);
  const padded = columns([wide ? [...header, 'CERTAINTY', 'WHY', 'PROBE'] : header, ...rows]);
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
  colour: boolean,
): Promise<string> {
  if (format === 'table' || format === 'wide')
    return services.length === 0 ? '' : serviceTable(services, format === 'wide', colour);
  const document = { services: services.map(serviceJson), warnings: problems };
  if (format === 'json') return `${JSON.stringify(document, null, 2)}\n`;
  const { yamlText } = await import('./yaml-output.ts');
  return yamlText(document);
}

/** Writes problems as warnings, a line each. */
export function warn(output: Output, problems: readonly Problem[]): void {
  for (const problem of problems) output.messages.write(`warning: ${problemLine(problem)}\n`);
}
