import { visible } from '../model/visible.ts';

/** Least characters that are left of a cell that is cut. */
const LEAST = 10;
/** Spaces between two columns, as kubectl has them. */
const GAP = 3;

const cut = (cell: string, width: number): string => {
  const characters = [...cell];
  return characters.length <= width ? cell : `${characters.slice(0, width - 1).join('')}\u2026`;
};

/**
 * The cells of a table, padded so that columns stand below one another. The first row is the header.
 * @param width columns of the terminal; without it nothing is cut
 * @param elastic the columns that are cut where a row does not fit, the first of them first
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
    const less = Math.max(0, Math.min(own - LEAST, over));
    widths[column] = own - less;
    over -= less;
  }
  return rows.map((row) =>
    row.map((cell, column) => {
      const own = widths[column] ?? 0;
      const shown = cut(cell, own);
      return column === row.length - 1 ? shown : shown + ' '.repeat(own - [...shown].length + GAP);
    }),
  );
}

/** A table as text; its last column is the one that is cut. The first row is the header. */
export function table(rows: readonly (readonly string[])[], width?: number): string {
  const safe = rows.map((row) => row.map(visible));
  return columns(safe, width, [(rows[0]?.length ?? 1) - 1])
    .map((row) => `${row.join('').trimEnd()}\n`)
    .join('');
}
