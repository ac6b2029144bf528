/** Renders terminal output as an SVG, with text as text and without loading a font. */
import headless from '@xterm/headless';

const { Terminal } = headless;

/** Size of one character cell, and of the frame, in pixels. */
const CELL = { width: 7.8, height: 18 };
const FRAME = { side: 16, top: 40, bottom: 14 };
const BACKGROUND = '#0d1117';
const BORDER = '#3d444d';
const FOREGROUND = '#e6edf3';
const FAINT = '#9198a1';
/** The eight colours of a terminal by their number, in shades that read well on the background. */
const PALETTE = ['#484f58', '#ff7b72', '#3fb950', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#e6edf3'];

interface Run {
  readonly column: number;
  readonly text: string;
  readonly colour: string;
  readonly bold: boolean;
}

interface Cell {
  getChars(): string;
  isFgPalette(): boolean;
  getFgColor(): number;
  isBold(): number;
  isDim(): number;
}

const colourOf = (cell: Cell): string => {
  if (cell.isFgPalette()) return PALETTE[cell.getFgColor() % PALETTE.length] ?? FOREGROUND;
  return cell.isDim() ? FAINT : FOREGROUND;
};

/** The runs of one style in a line. Two spaces end a run, so that no font can shift a column. */
function runsOf(cells: readonly Cell[]): Run[] {
  const runs: Run[] = [];
  for (const [column, cell] of cells.entries()) {
    const text = cell.getChars() || ' ';
    const style = { colour: colourOf(cell), bold: cell.isBold() !== 0 };
    const last = runs.at(-1);
    const goesOn = last !== undefined && last.colour === style.colour && last.bold === style.bold;
    if (goesOn && !(last.text.endsWith('  ') && text !== ' '))
      runs[runs.length - 1] = { ...last, text: last.text + text };
    else runs.push({ column, text, ...style });
  }
  return runs.map((run) => ({ ...run, text: run.text.trimEnd() })).filter(({ text }) => text !== '');
}

async function screen(text: string, columns: number): Promise<Run[][]> {
  const rows = text.split('\n').length * 4;
  const terminal = new Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const buffer = terminal.buffer.active;
  const lines = Array.from({ length: rows }, (_, row) => {
    const line = buffer.getLine(row);
    const cells = Array.from({ length: columns }, (_, column) => line?.getCell(column));
    return runsOf(cells.filter((cell) => cell !== undefined));
  });
  terminal.dispose();
  return lines.slice(0, lines.findLastIndex((line) => line.length > 0) + 1);
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const pixels = (value: number): string => String(Math.round(value * 10) / 10);

/**
 * Draws a terminal window.
 * @param text terminal output with escape sequences for colours
 * @param columns width of the terminal, in characters
 * @param title alternative text
 */
export async function terminalPicture(text: string, columns: number, title: string): Promise<string> {
  const lines = await screen(text, columns);
  const width = columns * CELL.width + 2 * FRAME.side;
  const height = lines.length * CELL.height + FRAME.top + FRAME.bottom;
  const texts = lines.flatMap((runs, row) =>
    runs.map((run) => {
      const attributes = [
        `x="${pixels(FRAME.side + run.column * CELL.width)}"`,
        `y="${pixels(FRAME.top + (row + 0.75) * CELL.height)}"`,
        `textLength="${pixels(run.text.length * CELL.width)}"`,
        ...(run.colour === FOREGROUND ? [] : [`fill="${run.colour}"`]),
        ...(run.bold ? ['font-weight="bold"'] : []),
      ];
      return `<text ${attributes.join(' ')}>${escaped(run.text)}</text>`;
    }),
  );
  const lights = ['#ff5f57', '#febc2e', '#28c840'].map(
    (colour, index) => `<circle cx="${20 + index * 20}" cy="20" r="6" fill="${colour}"/>`,
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${pixels(width)}" height="${height}" viewBox="0 0 ${pixels(width)} ${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escaped(title)}</title>`,
    '<style>text{white-space:pre;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:13px}</style>',
    `<rect x=".5" y=".5" width="${pixels(width - 1)}" height="${height - 1}" rx="8" fill="${BACKGROUND}" stroke="${BORDER}"/>`,
    ...lights,
    `<g fill="${FOREGROUND}">`,
    ...texts,
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}
