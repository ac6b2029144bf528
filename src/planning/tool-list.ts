import { countOf } from '../model/count-of.ts';
import type { McpTool, Verdict } from '../model/discovery.ts';
import { quoted } from '../model/text.ts';
import { escaped, visible } from '../model/visible.ts';

type Listed = Pick<Verdict, 'tools' | 'toolsTruncated' | 'toolsGap'>;

/** Maximum tools in a summary. */
const MAX_SUMMARIZED = 5;

/** `12 tools`, or `more than 40 tools` for an incomplete list. `undefined` if the tools are unknown. */
export function toolCount({ tools, toolsTruncated }: Listed): string | undefined {
  if (tools === undefined) return undefined;
  if (toolsTruncated === true) return `more than ${countOf(tools.length, 'tool')}`;
  return tools.length === 0 ? 'no tools' : countOf(tools.length, 'tool');
}

/** Characters of English or JSON per token, roughly. */
const CHARACTERS_PER_TOKEN = 4;

/** `about 3,400 tokens of each prompt`, to two digits. `undefined` if the sizes of the tools are unknown. */
export function promptCost({ tools = [] }: Listed): string | undefined {
  const tokens = tools.reduce((sum, { characters = 0 }) => sum + characters, 0) / CHARACTERS_PER_TOKEN;
  if (tokens === 0) return undefined;
  return `about ${Number(tokens.toPrecision(2)).toLocaleString('en')} tokens of each prompt`;
}

const toolSummary = ({ name, readOnly }: McpTool): string =>
  `${quoted(name, 64)}${readOnly ? ' (read-only)' : ''}`;

/** `2 tools: cancel_order, get_order (read-only)`, with at most five names. Empty if the tools are unknown. */
export function toolsInShort(verdict: Listed): string {
  const { tools = [] } = verdict;
  const count = toolCount(verdict) ?? '';
  if (tools.length === 0) return count;
  const isPart = tools.length > MAX_SUMMARIZED || verdict.toolsTruncated === true;
  const first = isPart ? `, the first ${Math.min(MAX_SUMMARIZED, tools.length)} by name` : '';
  return `${count}${first}: ${tools.slice(0, MAX_SUMMARIZED).map(toolSummary).join(', ')}`;
}

const because = (gap: string | undefined): string => (gap === undefined ? '' : `: ${visible(gap)}`);

/** Before which tools the agent asks. */
interface Asking {
  asksBefore(tool: string): boolean;
  /** Whether it asks before every tool, whatever its name. */
  readonly asksBeforeAll: boolean;
}

/** The tools before which the agent asks because of a list that a person wrote. */
const BY_LIST = 'those that your approval_required_tools match';

/** Says that the tools of a server are unknown, with the cause and the consequence. It continues a line. */
export const unknownTools = (
  { toolsGap }: Pick<Verdict, 'toolsGap'>,
  { asksBeforeAll = true }: Partial<Asking> = {},
): string =>
  `its tools are unknown${because(toolsGap)}; the agent asks before ${asksBeforeAll ? 'each of them' : BY_LIST}`;

/** Says that a list of tools is incomplete, with the cause and the consequences. */
const incompleteList = (gap: string | undefined, asksBeforeAll: boolean): string =>
  `the list was not read whole${because(gap)}; the agent asks before ${asksBeforeAll ? 'each tool' : BY_LIST}, and the server counts as more tools than MAX_AGENT_TOOLS`;

/** Says that the agent asks before tools that the server declares read-only, too. */
const readOnlyIsIgnored = (why: string): string =>
  `(the agent asks before each tool, also the read-only ones: ${why})`;

/** A name that needs no quotes. */
const PLAIN_NAME = /^[A-Za-z0-9_./-]+$/;

/** Characters that look like a space, or like nothing, but may tell a model something. */
const BLANK = /[[\p{Zs}\u2800]--[ ]]/gv;

/** Columns of a text in a line, so that a terminal with 80 does not wrap it. */
const COLUMNS = 60;

/** The rest of a line, words up to a space, or a part of a longer word, of at most so many characters. */
const partOf = (most: number): string =>
  `.{1,${most}}$|(?=.{0,${most - 2}}[^ ] ).{1,${most - 1}} |.{1,${most}}`;
const ASCII_PART = new RegExp(partOf(COLUMNS), 'g');
const WIDE_PART = new RegExp(partOf(COLUMNS / 2), 'gu');

/** Divides a line between words into parts that fit into the columns. Characters outside of ASCII may take two. */
const partsOfLine = (line: string): string[] =>
  line.match(/^[ -~]*$/.test(line) ? ASCII_PART : WIDE_PART) ?? [];

/** Spaces with which a text could push others off the screen. */
const MANY_SPACES = / {33,}/g;

/**
 * Texts of others, complete, because the user who approves them must see what a model reads. The mark before each line keeps
 * it from looking like a line of our own. Invisible characters are shown as `\\u{…}`, because the terminal would hide them.
 * @param isTerminal whether to divide lines that a terminal would wrap; elsewhere, a search must find what they say
 */
export const textLines = (texts: readonly string[], isTerminal: boolean): string[] =>
  texts
    .flatMap((text) => text.split(/[\r\n\u2028\u2029]+/))
    .map((line) =>
      visible(line.replaceAll('\t', ' ').replace(MANY_SPACES, ' '.repeat(32)).replace(BLANK, escaped)),
    )
    .filter((line) => line.trim() !== '')
    .flatMap((line) => (isTerminal ? partsOfLine(line) : [line]))
    .map((line) => `              | ${line}`);

/** What a tool may do, and whether the agent asks before it. */
function accessOf({ name, readOnly }: McpTool, asking?: Asking): string {
  if (asking === undefined) return readOnly ? 'read-only   ' : 'may change  ';
  return `${readOnly ? 'read-only, ' : 'may change,'} ${asking.asksBefore(name) ? 'asked first ' : 'runs unasked'}`;
}

/** The line of a tool, and those of its texts. */
function linesOfTool(tool: McpTool, isTerminal: boolean, asking?: Asking): string[] {
  const { name, texts = [] } = tool;
  const shown = PLAIN_NAME.test(name) ? name : visible(JSON.stringify(name));
  const [first = '', ...more] = isTerminal ? partsOfLine(shown) : [shown];
  const access = accessOf(tool, asking);
  if (more.length === 0) return [`${access}  ${first}`, ...textLines(texts, isTerminal)];
  return [`${access}  ${first}…`, ...textLines([name, ...texts], isTerminal)];
}

/** Lines of all tools that are no more than a user reads anyway: those of about ten ordinary tools. */
const FEW_LINES = 200;

/** `4,012 lines, 3,900 of them of get_order`, for tools with so many lines that a user may miss some; otherwise `undefined`. Lines as on a terminal. */
export function manyLines({ tools = [] }: Listed, most: number): string | undefined {
  const sizes = tools.slice(0, most).map((tool) => ({ tool, size: linesOfTool(tool, true).length }));
  const all = sizes.reduce((sum, { size }) => sum + size, 0);
  if (all <= FEW_LINES) return undefined;
  const { tool, size } = sizes.reduce((largest, each) => (each.size > largest.size ? each : largest));
  return `${all.toLocaleString('en')} lines, ${size.toLocaleString('en')} of them of ${quoted(tool.name, 64)}`;
}

/**
 * Formats the tools of a server, one per line, for the user who approves it. Each is followed by its texts, if they are kept.
 * @param most maximum tools
 * @param isTerminal whether to divide lines that a terminal would wrap
 * @param asks why the agent asks before each of them although some are read-only
 * @param asking before which of them the agent asks; without it, the lines do not say
 */
export function toolLines(
  verdict: Listed,
  most: number,
  isTerminal: boolean,
  asks?: string,
  asking?: Asking,
): string[] {
  const { tools = [], toolsTruncated, toolsGap } = verdict;
  const lines = tools.slice(0, most).flatMap((tool) => linesOfTool(tool, isTerminal, asking));
  if (asks !== undefined && tools.some(({ readOnly }) => readOnly)) lines.unshift(readOnlyIsIgnored(asks));
  if (tools.length > most)
    lines.push(`(the first ${most} of ${tools.length} by name; -o json shows all that were read)`);
  if (toolsTruncated === true) lines.push(`(${incompleteList(toolsGap, asking?.asksBeforeAll ?? true)})`);
  return lines;
}
