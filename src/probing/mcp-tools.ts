import { createHash } from 'node:crypto';
import type { McpTool } from '../model/discovery.ts';
import { isMapping, type Mapping } from '../model/mapping.ts';
import type { RpcMessage } from './json-rpc.ts';

/** Most tools, pages and bytes that are read of one server's list. */
const MOST_TOOLS = 512;
const MOST_PAGES = 8;
const MOST_BYTES = 256 * 1024;

/**
 * Most characters of all names together. They are kept and shown while the server is there, and one namespace may have
 * hundreds of servers; the names of 200 ordinary tools have half as many.
 */
const MOST_NAMES = 8 * 1024;

/** Longest name that is kept whole, in characters. The specification advises servers to stay below. */
const LONGEST_NAME = 128;

/** Hexadecimal digits of a digest: so many that no server can make two tools with one. */
const DIGEST = 32;

/** Deepest nesting of a schema or of annotations; no schema that people write comes near. */
const DEEPEST = 64;

/** What a server says of its tools. */
export interface ToolList {
  /** Sorted by name, each name once. */
  readonly tools: readonly McpTool[];
  /** A limit was reached, so the server has more than these. */
  readonly truncated: boolean;
}

/** One answer to `tools/list`. */
export interface ToolPage {
  readonly message: RpcMessage | undefined;
  readonly bytes: number;
}

/** Asks for one page. @param limit most bytes of the answer */
export type AskForTools = (cursor: string | undefined, limit: number) => Promise<ToolPage>;

/** JSON with the keys of each object in one order. @throws RangeError if it is nested too deep */
function canonical(value: unknown, depth = 0): string {
  if (depth > DEEPEST) throw new RangeError('nested too deep');
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  if (!isMapping(value)) return JSON.stringify(value) ?? 'null';
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key], depth + 1)}`);
  return `{${fields.join(',')}}`;
}

/**
 * A tool of the list, also one with an empty name, since HolmesGPT takes that too. A name that is too long is cut and ends
 * in an ellipsis, so it is no plain name.
 */
function toolOf({
  name,
  title,
  description,
  inputSchema,
  outputSchema,
  annotations,
}: Mapping): McpTool | undefined {
  if (typeof name !== 'string') return undefined;
  const text = canonical([name, title, description, inputSchema, outputSchema, annotations]);
  return {
    name: name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name,
    readOnly: isMapping(annotations) && annotations.readOnlyHint === true,
    digest: createHash('sha256').update(text).digest('hex').slice(0, DIGEST),
  };
}

/** Adds a tool. Of two with one name nobody knows which one runs, so that name is read-only only if both are. */
function add(tools: Map<string, McpTool>, tool: McpTool): void {
  const other = tools.get(tool.name);
  if (other === undefined) {
    tools.set(tool.name, tool);
    return;
  }
  const digest = createHash('sha256').update(`${other.digest} ${tool.digest}`).digest('hex').slice(0, DIGEST);
  tools.set(tool.name, { name: tool.name, readOnly: other.readOnly && tool.readOnly, digest });
}

/**
 * Reads a server's list of tools, page by page, until a limit is reached.
 * @returns undefined where the server gives no list, or one that cannot be read
 */
export async function listTools(ask: AskForTools): Promise<ToolList | undefined> {
  const found = new Map<string, McpTool>();
  const ended = (truncated: boolean): ToolList => ({
    tools: [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    truncated,
  });
  let cursor: string | undefined;
  let left = MOST_BYTES;
  let names = 0;
  for (let page = 1; ; page++) {
    const { message, bytes } = await ask(cursor, left);
    left -= bytes;
    const { tools, nextCursor } = message?.result ?? {};
    // A page that is cut by the limit is no JSON; pages before it stand.
    if (!Array.isArray(tools)) return page === 1 && left > 0 ? undefined : ended(true);
    const room = MOST_TOOLS - found.size;
    for (const each of tools.slice(0, room)) {
      const tool = isMapping(each) ? toolOf(each) : undefined;
      if (tool === undefined) continue;
      names += tool.name.length;
      if (names > MOST_NAMES) return ended(true);
      add(found, tool);
    }
    if (tools.length > room) return ended(true);
    if (typeof nextCursor !== 'string' || nextCursor === '') return ended(false);
    if (found.size >= MOST_TOOLS || page >= MOST_PAGES || left <= 0 || nextCursor === cursor)
      return ended(true);
    cursor = nextCursor;
  }
}
