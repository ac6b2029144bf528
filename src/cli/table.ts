import { visible } from '../model/visible.ts';

/** Minimum characters of a truncated cell. */
const MIN_CELL_WIDTH = 10;
/** Spaces between two columns, as in kubectl. */
const GAP = 3;

const truncate = (cell: string, width: number): string => {
  const characters = [...cell];
  return characters.length <= width ? cell : `${characters.slice(0, width - 1).join('')}\u2026`;
};

/**
 * Pads the cells of a table so that its columns are aligned. The first row is the header.
 * @param width width of the terminal; without it nothing is truncated
 * @param elastic columns to truncate if a row does not fit, in this order
 */
export function columns(
  rows: readonly (readonly string[])[],
  width?: number,
  elastic: readonly number[] = [],
): string[][] {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => [...(row[column] ?? '')].length))) ?? [];
  const total = widths.reduce((sum, each) => sum + each + GAP, -GAP);
  let over = width === undefined ? 0 : total - width;
  for (const column of elastic) {
    const own = widths[column];
    if (own === undefined || over <= 0) continue;
    const less = Math.max(0, Math.min(own - MIN_CELL_WIDTH, over));
    widths[column] = own - less;
    over -= less;
  }
  return rows.map((row) =>
    row.map((cell, column) => {
      const own = widths[column] ?? 0;
      const shown = truncate(cell, own);
      return column === row.length - 1 ? shown : shown + ' '.repeat(own - [...shown].length + GAP);
    }),
  );
}

/** Formats a table as text. Only the last column is truncated. The first row is the header. */
export function table(rows: readonly (readonly string[])[], width?: number): string {
  const safe = rows.map((row) => row.map(visible));
  return columns(safe, width, [(rows[0]?.length ?? 1) - 1])
    .map((row) => `${row.join('').trimEnd()}\n`)
    .join('');
}
