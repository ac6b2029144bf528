import { createHash } from 'node:crypto';
import type { McpTool } from '../model/discovery.ts';
import { isMapping, type Mapping } from '../model/mapping.ts';
import type { RpcMessage } from './json-rpc.ts';
import { toolTexts } from './tool-texts.ts';

/** Maximum tools, pages and bytes to read of one server's list. */
const MAX_TOOLS = 512;
const MAX_PAGES = 8;
const MAX_BYTES = 256 * 1024;

/**
 * Maximum characters of all names together. Names stay in memory, and a namespace may have hundreds of servers. The
 * names of 200 ordinary tools take half of it.
 */
const MAX_NAME_CHARACTERS = 8 * 1024;

/** Maximum length of a name, in characters, as the specification advises. Longer names are truncated. */
const MAX_NAME_LENGTH = 128;

/** Maximum nesting of a schema or of annotations. Real schemas are far below. */
const MAX_DEPTH = 64;

/** The tools of a server. */
export interface ToolList {
  /** Sorted by name, each name once. */
  readonly tools: readonly McpTool[];
  /** Whether a limit was reached, so that the list is incomplete. */
  readonly truncated: boolean;
}

/** One response to `tools/list`. */
export interface ToolPage {
  readonly message: RpcMessage | undefined;
  readonly bytes: number;
}

/** Requests one page. @param limit maximum bytes of the response @returns `undefined` without a response */
export type FetchToolPage = (cursor: string | undefined, limit: number) => Promise<ToolPage | undefined>;

/** Serializes a value as JSON with sorted keys. @throws RangeError if it is nested too deep */
function canonical(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new RangeError('nested too deep');
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  if (!isMapping(value)) return JSON.stringify(value) ?? 'null';
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key], depth + 1)}`);
  return `{${fields.join(',')}}`;
}

/**
 * Converts an entry of the list. An empty name is kept, because HolmesGPT accepts it. A truncated name ends in an
 * ellipsis, so it cannot be mistaken for a complete one.
 */
function toolOf(tool: Mapping, keepsTexts: boolean): McpTool | undefined {
  const { name, title, description, inputSchema, outputSchema, annotations } = tool;
  if (typeof name !== 'string') return undefined;
  const isShort = name.length <= MAX_NAME_LENGTH;
  const text = canonical([name, title, description, inputSchema, outputSchema, annotations]);
  return {
    name: isShort ? name : `${name.slice(0, MAX_NAME_LENGTH)}…`,
    readOnly: isMapping(annotations) && annotations.readOnlyHint === true,
    digest: createHash('sha256').update(text).digest('base64url'),
    ...(keepsTexts && { texts: toolTexts(tool, isShort) }),
  };
}

/** Adds a tool. If two tools share a name, it is unknown which one runs, so the name is read-only only if both are. */
function add(tools: Map<string, McpTool>, tool: McpTool): void {
  const other = tools.get(tool.name);
  if (other === undefined) {
    tools.set(tool.name, tool);
    return;
  }
  const digest = createHash('sha256').update(`${other.digest} ${tool.digest}`).digest('base64url');
  const texts = [...(other.texts ?? []), ...(tool.texts ?? [])];
  tools.set(tool.name, {
    ...tool,
    readOnly: other.readOnly && tool.readOnly,
    digest,
    ...(tool.texts && { texts }),
  });
}

/**
 * Reads a server's list of tools, page by page, until a limit is reached.
 * @param keepsTexts whether to keep the texts of the tools, for a person who reads them
 * @returns `undefined` if the server returns no list or an invalid one, or if a page gets no response
 */
export async function listTools(fetchPage: FetchToolPage, keepsTexts = false): Promise<ToolList | undefined> {
  const found = new Map<string, McpTool>();
  const result = (truncated: boolean): ToolList => ({
    tools: [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    truncated,
  });
  let cursor: string | undefined;
  let left = MAX_BYTES;
  let names = 0;
  for (let page = 1; ; page++) {
    const answer = await fetchPage(cursor, left);
    // A broken connection says nothing about the list.
    if (answer === undefined) return undefined;
    const { message, bytes } = answer;
    left -= bytes;
    const { tools, nextCursor } = message?.result ?? {};
    // A truncated page is invalid JSON. The pages before it are valid.
    if (!Array.isArray(tools)) return page === 1 && left > 0 ? undefined : result(true);
    const room = MAX_TOOLS - found.size;
    for (const each of tools.slice(0, room)) {
      const tool = isMapping(each) ? toolOf(each, keepsTexts) : undefined;
      if (tool === undefined) continue;
      names += tool.name.length;
      if (names > MAX_NAME_CHARACTERS) return result(true);
      add(found, tool);
    }
    if (tools.length > room) return result(true);
    if (typeof nextCursor !== 'string' || nextCursor === '') return result(false);
    if (found.size >= MAX_TOOLS || page >= MAX_PAGES || left <= 0 || nextCursor === cursor)
      return result(true);
    cursor = nextCursor;
  }
}
