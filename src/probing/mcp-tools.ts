import { createHash } from 'node:crypto';
import type { McpTool } from '../model/discovery.ts';
import { isMapping, type Mapping } from '../model/mapping.ts';
import { isExactNumber } from './exact-json.ts';
import { ProbeFailure } from './fetch.ts';
import type { RpcMessage } from './json-rpc.ts';
import { toolTexts } from './tool-texts.ts';

/** Maximum tools, pages and bytes to read of one server's list. */
const MAX_TOOLS = 512;
const MAX_PAGES = 8;
const MAX_BYTES = 256 * 1024;
/** Maximum values and keys in a list. 200 ordinary tools have half as many. */
export const MAX_VALUES = 16 * 1024;

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
  /** Sorted by name, each name once. Absent if they are unknown. */
  readonly tools?: readonly McpTool[];
  /** Why they are unknown or incomplete, as a clause. Absent if they are complete. */
  readonly gap?: string;
}

/** One response to `tools/list`. */
export interface ToolPage {
  readonly status: number;
  readonly message: RpcMessage | undefined;
  readonly bytes: number;
  /** The values and keys in it. */
  readonly values: number;
}

/**
 * Requests one page.
 * @param limit maximum bytes of the response
 * @returns a `ProbeFailure` without a response
 */
export type FetchToolPage = (cursor: string | undefined, limit: number) => Promise<ToolPage | ProbeFailure>;

/** A part of a tool is nested more than `MAX_DEPTH` levels deep. */
class TooDeepError extends Error {}

/** Serializes a value as JSON with sorted keys. @throws TooDeepError */
function canonical(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new TooDeepError();
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  if (!isMapping(value) || isExactNumber(value)) return JSON.stringify(value) ?? 'null';
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
    characters: text.length,
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
    characters: (other.characters ?? 0) + (tool.characters ?? 0),
    readOnly: other.readOnly && tool.readOnly,
    digest,
    ...(tool.texts && { texts }),
  });
}

const pageName = (page: number): string => (page === 1 ? 'its list' : `page ${page} of its list`);

/** Why a response has no list of tools, as a clause. The texts of the server are not repeated. */
function faultOf({ status, message }: ToolPage, page: number): string {
  if (status >= 400) return `${pageName(page)} got status ${status}`;
  if (message === undefined) return `${pageName(page)} got a response that is not of the protocol`;
  const code = message.error?.code;
  if (Number.isSafeInteger(code)) return `${pageName(page)} got the error ${code}`;
  return `${pageName(page)} got a response without tools`;
}

const TOO_MANY_BYTES = `it needs more than ${MAX_BYTES / 1024} KiB`;
const TOO_MANY_VALUES = `it has more than ${MAX_VALUES} values`;
const TOO_MANY_TOOLS = `it has more than ${MAX_TOOLS} tools`;

/** The limit that keeps the next page from being requested, as a clause. */
function limitBefore(page: number, found: number, left: number): string | undefined {
  if (found >= MAX_TOOLS) return TOO_MANY_TOOLS;
  if (left <= 0) return TOO_MANY_BYTES;
  return page > MAX_PAGES ? `it has more than ${MAX_PAGES} pages` : undefined;
}

async function readPages(fetchPage: FetchToolPage, keepsTexts: boolean): Promise<ToolList> {
  const found = new Map<string, McpTool>();
  const result = (gap?: string): ToolList => ({
    tools: [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...(gap === undefined ? {} : { gap }),
  });
  let cursor: string | undefined;
  let left = MAX_BYTES;
  let names = 0;
  let values = 0;
  for (let page = 1; ; page++) {
    const answer = await fetchPage(cursor, left);
    if (answer instanceof ProbeFailure)
      return { gap: `${pageName(page)} got no response: ${answer.message}` };
    left -= answer.bytes;
    values += answer.values;
    if (values > MAX_VALUES) return page === 1 ? { gap: TOO_MANY_VALUES } : result(TOO_MANY_VALUES);
    const { tools, nextCursor } = answer.message?.result ?? {};
    // A page beyond the limit is cut, so it is invalid JSON. The pages before it are valid.
    if (!Array.isArray(tools)) return left > 0 ? { gap: faultOf(answer, page) } : result(TOO_MANY_BYTES);
    const room = MAX_TOOLS - found.size;
    for (const each of tools.slice(0, room)) {
      const tool = isMapping(each) ? toolOf(each, keepsTexts) : undefined;
      if (tool === undefined) continue;
      names += tool.name.length;
      if (names > MAX_NAME_CHARACTERS)
        return result(`the names of its tools need more than ${MAX_NAME_CHARACTERS / 1024} KiB`);
      add(found, tool);
    }
    if (tools.length > room) return result(TOO_MANY_TOOLS);
    if (typeof nextCursor !== 'string' || nextCursor === '') return result();
    if (nextCursor === cursor) return result(`${pageName(page)} names itself as the next one`);
    const limit = limitBefore(page + 1, found.size, left);
    if (limit !== undefined) return result(limit);
    cursor = nextCursor;
  }
}

/**
 * Reads a server's list of tools, page by page, until a limit is reached.
 * @param keepsTexts whether to keep the texts of the tools, for a person who reads them
 * @returns no tools if a page gets no list, because the rest could be anything
 */
export async function listTools(fetchPage: FetchToolPage, keepsTexts = false): Promise<ToolList> {
  try {
    return await readPages(fetchPage, keepsTexts);
  } catch (error) {
    if (!(error instanceof TooDeepError)) throw error;
    return { gap: `one of its tools is nested more than ${MAX_DEPTH} levels deep` };
  }
}
