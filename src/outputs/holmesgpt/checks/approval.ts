import type { McpTool, Verdict } from '../../../model/discovery.ts';
import type { Overrides } from '../../../model/overrides.ts';
import { same } from '../../../model/same.ts';
import { visible } from '../../../model/visible.ts';
import { patchIn } from '../overrides.ts';
import { own } from '../yaml.ts';
import { restrictionsIn } from './restrictions.ts';

/** Matches every tool. */
const EVERY_TOOL: readonly string[] = ['*'];

/** Names without special characters of globs. Every model API accepts them. */
const PLAIN_NAME = /^[A-Za-z0-9_./-]{1,64}$/;

/** Maximum characters of such a name. */
const MAX_NAME = 64;

/** Maximum size of one server's patterns, in bytes. */
const LARGEST = 24 * 1024;

/** `[!abc]`: any character except these. A hyphen at the end is literal. */
function noneOf(characters: ReadonlySet<string>): string {
  const rest = [...characters].filter((character) => character !== '-').sort();
  return `[!${rest.join('')}${characters.has('-') ? '-' : ''}]`;
}

function addTo<K>(map: Map<K, Set<string>>, key: K, character: string): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([character]));
  else set.add(character);
}

/**
 * Globs that match every name except the given ones; the empty name matches too. HolmesGPT's patterns have no negation, so
 * the globs enumerate the complement: for each prefix of a name, the names that continue differently, and the prefix itself.
 * A few globs for endings that no name has cover most of these.
 * @param names plain names, at least one
 */
export function allNamesBut(names: readonly string[]): string[] {
  const next = new Map<string, Set<string>>([['', new Set()]]);
  const endings = new Map<string, Set<string>>();
  const last = new Set<string>();
  for (const name of names) {
    for (let length = 0; length < name.length; length++)
      addTo(next, name.slice(0, length), name.charAt(length));
    last.add(name.slice(-1));
    if (name.length > 1) addTo(endings, name.slice(-1), name.slice(-2, -1));
  }
  const endsLikeAName = (text: string): boolean =>
    last.has(text.slice(-1)) &&
    (text.length === 1 || endings.get(text.slice(-1))?.has(text.slice(-2, -1)) !== false);
  const whole = new Set(names);
  // An empty pattern matches only an empty name.
  const globs = names.length === 0 ? [''] : ['', `*${noneOf(last)}`];
  for (const [ending, before] of endings) globs.push(`*${noneOf(before)}${ending}`);
  for (const [beginning, characters] of next) {
    if (beginning !== '' && !whole.has(beginning) && endsLikeAName(beginning)) globs.push(beginning);
    globs.push(`${beginning}${characters.size === 0 ? '?' : noneOf(characters)}*`);
  }
  for (const name of whole) if (!next.has(name)) globs.push(`${name}?*`);
  return globs.sort();
}

/** The literal part of a glob for names that continue differently, and its characters. */
const CONTINUATION = /^([A-Za-z0-9_./-]*)\[!([^\]]+)\]\*$/;

/** The same for names that end differently, and for those with another character before their last one. */
const ENDING = /^\*\[!([^\]]+)\](.?)$/;

/**
 * The names that patterns leave out, the reverse of `allNamesBut`. `undefined` for patterns that it does not make.
 */
export function exceptionsIn(globs: readonly string[]): readonly string[] | undefined {
  if (globs.includes('*')) return [];
  const literals = new Set(globs);
  const endings = new Map<string, string>();
  const candidates: string[] = [];
  for (const glob of globs) {
    const [, characters = '', ending] = ENDING.exec(glob) ?? [];
    if (ending !== undefined) endings.set(ending, characters);
    const [, beginning, next = ''] = CONTINUATION.exec(glob) ?? [];
    if (beginning !== undefined) candidates.push(...[...next].map((each) => `${beginning}${each}`));
  }
  const names = candidates.filter((name) => {
    const last = name.slice(-1);
    const before = name.length > 1 ? endings.get(last) : undefined;
    return (
      !literals.has(name) &&
      endings.get('')?.includes(last) === true &&
      before?.includes(name.slice(-2, -1)) !== false
    );
  });
  return same(allNamesBut(names), globs.toSorted()) ? names : undefined;
}

type Listed = Pick<Verdict, 'tools' | 'toolsTruncated'>;

/** Why one name makes every tool need approval: it could be mistaken for another one, by users or by models. */
function whyNotPlain({ name }: McpTool): string | undefined {
  if (PLAIN_NAME.test(name)) return undefined;
  const named = `the tool name ${visible(JSON.stringify(name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name))}`;
  return name.length > MAX_NAME
    ? `${named} has more than ${MAX_NAME} characters`
    : `${named} has other characters than letters, digits and _./-`;
}

type Patterns = { readonly globs: readonly string[] } | { readonly why: string };

/** The patterns by list of tools. A list stays the same object until its server reports other tools. */
const remembered = new WeakMap<readonly McpTool[], Patterns>();

/** The patterns for all tools except the read-only ones, or why there are none. */
function patternsFor(tools: readonly McpTool[]): Patterns {
  const patterns = remembered.get(tools) ?? newPatterns(tools);
  remembered.set(tools, patterns);
  return patterns;
}

function newPatterns(tools: readonly McpTool[]): Patterns {
  const why = tools.map(whyNotPlain).find((each) => each !== undefined);
  if (why !== undefined) return { why };
  const globs = allNamesBut(tools.filter(({ readOnly }) => readOnly).map(({ name }) => name));
  const size = globs.reduce((sum, glob) => sum + glob.length + 6, 0);
  return size > LARGEST
    ? { why: `the names of its tools need more than ${LARGEST / 1024} KiB of patterns` }
    : { globs };
}

const hasReadOnly = (tools: readonly McpTool[]): boolean => tools.some(({ readOnly }) => readOnly);

/**
 * HolmesGPT's `approval_required_tools` for a discovered MCP server: a user must approve each tool except those that the
 * server declared read-only when it was probed, including tools that it adds later. HolmesGPT matches each pattern with
 * Python's `fnmatch`, and one match is enough. Source: HolmesGPT 0.45.0, `core/tools.py`.
 */
export function approvalRequired({ tools, toolsTruncated }: Listed): string[] {
  if (tools === undefined || toolsTruncated === true || !hasReadOnly(tools)) return [...EVERY_TOOL];
  const patterns = patternsFor(tools);
  return 'globs' in patterns ? [...patterns.globs] : [...EVERY_TOOL];
}

/**
 * Why HolmesGPT asks before each tool of a server whose list is complete and has read-only tools. `undefined` if it does
 * not, or if users decide it with a list of their own.
 */
export function whyAsksBeforeEach(
  key: string,
  { tools = [], toolsTruncated }: Listed,
  overrides: Overrides,
): string | undefined {
  if (toolsTruncated === true || !hasReadOnly(tools)) return undefined;
  const entry = own(patchIn(overrides).mcp_servers, key);
  if (restrictionsIn(entry).approval_required_tools !== undefined) return undefined;
  const patterns = patternsFor(tools);
  return 'why' in patterns ? patterns.why : undefined;
}
