import { countOf } from '../../../model/count-of.ts';
import type { McpTool, Problem, Verdict } from '../../../model/discovery.ts';
import { isMapping } from '../../../model/mapping.ts';
import { nearest } from '../../../model/nearest.ts';
import { quoted } from '../../../model/text.ts';
import type { InForce, Questions } from '../../output.ts';
import type { HolmesPatch } from '../overrides.ts';
import { own } from '../yaml.ts';
import { approvalRequired, exceptionsIn } from './approval.ts';
import { fnmatch } from './fnmatch.ts';
import { isSwitchedOff, restrictionsIn } from './restrictions.ts';

type Listed = Pick<Verdict, 'tools' | 'toolsTruncated'>;

/** Maximum entries of a list, and names of tools, that messages name. */
const FEW = 5;

/**
 * The list that a person wrote for an MCP server; `undefined` if there is none. `null` takes the generated list away, so that
 * HolmesGPT asks before nothing.
 */
function writtenList({ mcp_servers }: HolmesPatch, key: string): readonly string[] | undefined {
  const entry = own(mcp_servers, key);
  if (!isMapping(entry) || isSwitchedOff(entry)) return undefined;
  if (entry.approval_required_tools === null) return [];
  return restrictionsIn(entry).approval_required_tools;
}

const shown = (name: string): string => quoted(name, 64);

/** Whether a person gives the server another address, where it may have other tools. */
function isElsewhere({ mcp_servers }: HolmesPatch, key: string): boolean {
  const entry = own(mcp_servers, key);
  const config = isMapping(entry) ? entry.config : undefined;
  return isMapping(config) && config.url !== undefined;
}

/** `a, b, c and 4 more`. */
const namesOf = (tools: readonly McpTool[]): string =>
  tools
    .slice(0, FEW)
    .map(({ name }) => shown(name))
    .join(', ') + (tools.length > FEW ? ` and ${tools.length - FEW} more` : '');

/** The problems with the entries of a list that match no tool. A list that this program makes is for future tools too. */
function unmatchedEntries(list: readonly string[], names: readonly string[]): Omit<Problem, 'where'>[] {
  const entries = [...new Set(list)].filter((entry) => entry !== '*');
  if (exceptionsIn(entries) !== undefined) return [];
  const idle = entries.filter((entry) => !names.some(fnmatch(entry)));
  const rest = idle.length - FEW;
  return [
    ...idle.slice(0, FEW).map((entry) => {
      const meant = nearest(entry, names);
      return {
        what: `approval_required_tools: ${shown(entry)} matches none of the server's tools`,
        fix: meant === undefined ? 'correct or remove it' : `did you mean ${shown(meant)}?`,
      };
    }),
    ...(rest > 0
      ? [
          {
            what: `approval_required_tools: ${countOf(rest, 'other entry', 'other entries')} match none either`,
          },
        ]
      : []),
  ];
}

/** The problem with a list that leaves out tools which may change something. */
function unaskedTools(
  tools: readonly McpTool[],
  asksBefore: (name: string) => boolean,
): Omit<Problem, 'where'>[] {
  const unasked = tools.filter(({ name, readOnly }) => !readOnly && !asksBefore(name));
  if (unasked.length === 0) return [];
  const [it, what] = unasked.length === 1 ? ['it', 'this tool'] : ['they', 'these tools'];
  return [
    {
      what: `with your approval_required_tools, the agent runs ${what} without asking, although ${it} may change something: ${namesOf(unasked)}`,
      fix: 'add them to the list, or remove the list, and the agent asks before every tool that is not read-only',
    },
  ];
}

/**
 * Before which tools of a discovered MCP server HolmesGPT asks, and what is wrong with the list that a person wrote for it.
 * The list is compared with the server's tools only if all of them are known.
 * @param key the server's key, as `displayKey` formats it
 * @param lists those of HolmesGPT's own ConfigMap, by key of the server
 */
export function questionsOf(
  key: string,
  verdict: Listed,
  patch: HolmesPatch,
  lists: InForce['lists'] = {},
): Questions {
  const theirs = Object.hasOwn(lists, key) ? lists[key] : undefined;
  const written = theirs ?? writtenList(patch, key);
  const list = written ?? approvalRequired(verdict);
  let patterns: ((name: string) => boolean)[] | undefined;
  const asksBeforeAll = list.includes('*');
  const asksBefore = (name: string): boolean => {
    patterns ??= list.map(fnmatch);
    return patterns.some((matches) => matches(name));
  };
  const { tools, toolsTruncated } = verdict;
  const isKnown = tools !== undefined && toolsTruncated !== true && !isElsewhere(patch, key);
  if (written === undefined || !isKnown) return { asksBefore, asksBeforeAll, problems: [] };
  const names = tools.map(({ name }) => name);
  const problems = [...unmatchedEntries(written, names), ...unaskedTools(tools, asksBefore)];
  const where =
    theirs === undefined
      ? `overrides.yaml, holmesgpt.mcp_servers ${key}`
      : `HolmesGPT's own ConfigMap, mcp_servers ${key}`;
  return { asksBefore, asksBeforeAll, problems: problems.map((problem) => ({ where, ...problem })) };
}
