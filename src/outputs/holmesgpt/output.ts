import * as z from 'zod';
import { countOf } from '../../model/count-of.ts';
import type { Problem } from '../../model/discovery.ts';
import { endpointUrl } from '../../model/discovery.ts';
import type { YamlLimits } from '../../model/yaml-document.ts';
import { readPlacedYaml } from '../../model/yaml-text.ts';
import type { Steps } from '../../model/yield-every.ts';
import { reportLimit } from '../../planning/budget.ts';
import { describe } from '../../planning/description.ts';
import type { Tool } from '../../planning/tools.ts';
import { asFaults, type ContentFaults, placed } from '../faults.ts';
import type { Output, Rendered, RenderOptions } from '../output.ts';
import { excessTools, unreadServers } from './agent-tools.ts';
import { approvalRequired, whyAsksBeforeEach } from './checks/approval.ts';
import { containsIn } from './checks/contains.ts';
import { loosened } from './checks/loosened.ts';
import { questionsOf } from './checks/questions.ts';
import { switchedOn } from './checks/switched-on.ts';
import { unpaired } from './checks/unpaired.ts';
import { holmesFaults } from './contract/contract.ts';
import { FILE } from './merge/agent-file.ts';
import { patchFaults } from './merge/patch.ts';
import { holmesOverrides, patchIn } from './overrides.ts';
import { exampleKeys } from './render/credential-fields.ts';
import { holdersIn, rendered } from './render/holders.ts';
import { entryOf, HOLMESGPT, type HolmesEntry, holmesMapping } from './render/mapping.ts';
import { holmesTextInSteps } from './render/text.ts';
import { holmesDocument } from './render/toolsets.ts';

/** The settings that affect HolmesGPT's file. */
export interface HolmesSettings {
  /** `0.20`: one backend for each built-in toolset; `0.32` and newer: several, as instances. */
  readonly holmesgptVersion: '0.20' | '0.32';
  /** Whether it brings the token of its ServiceAccount to each Prometheus; `false` by default. */
  readonly holmesgptOpenshift?: boolean;
}

/** The faults in a `custom_toolset.yaml`, parsed as YAML 1.1 as HolmesGPT does. */
export function holmesTextFaults(text: string, limits: YamlLimits): ContentFaults {
  const read = readPlacedYaml(text, z.unknown(), { limits, version: '1.1' });
  return 'faults' in read ? asFaults(read) : placed(holmesFaults(read.value), read.placeOf);
}

const byName = (a: Tool, b: Tool): number => (a.tool < b.tool ? -1 : a.tool > b.tool ? 1 : 0);

/** Why the tools of a namespace do not fit among those that a model accepts. It continues a line. */
const beyondRoom = (fixed: number, most: number): string =>
  fixed < most
    ? `which is more than its share of the ${most} that MAX_AGENT_TOOLS allows (${fixed} of them are HolmesGPT's own or hand-written)`
    : `for which there is no room: HolmesGPT's own and hand-written tools (${fixed}) use up the ${most} that MAX_AGENT_TOOLS allows`;

/** What helps a server whose list was not read whole. It counts as more tools than any limit allows. */
const SHORTER_LIST =
  'have the server list fewer tools, or change its tool in overrides.yaml, for example its description: then it stays, and counts with the tools that were read';

/** The problem if the tools that no limit removes are too many for the model. */
function beyondModel(fixed: number, most: number): Problem[] {
  if (fixed <= most) return [];
  return [
    {
      where: FILE,
      what: `gives HolmesGPT ${countOf(fixed, 'tool')} that no limit removes, and with more than ${most} its model may reject every request`,
      fix: 'switch toolsets or MCP servers off in overrides.yaml, or raise MAX_AGENT_TOOLS if the model supports more',
    },
  ];
}

/** Renders `custom_toolset.yaml` without the backends with which the model would have too many tools. */
function* render(ordered: readonly Tool[], options: RenderOptions & HolmesSettings): Steps<Rendered> {
  const { credentials, overrides, holmesgptVersion, namespaces, published, limits, found } = options;
  const { holmesgptOpenshift = false } = options;
  const holmes = {
    credentials,
    holmesgptVersion,
    holmesgptOpenshift,
    patch: patchIn(overrides),
    ...(namespaces === undefined ? {} : { namespaces }),
    publishedFile: published?.[FILE],
    found,
  };
  const most = limits.maxAgentTools;
  const tools = ordered.toSorted(byName);
  const document = holmesDocument(tools, holmes);
  yield;
  const people = () =>
    holmesDocument(
      tools.filter(({ pinned }) => pinned),
      holmes,
    );
  const { beyond, fixed, brings } = excessTools(
    ordered,
    document,
    people,
    most,
    options.inUseSince ?? new Map(),
    holdersIn(holmes.publishedFile).any,
  );
  yield;
  const effect = `left out of ${FILE}, but not of toolset.json`;
  const [unread, read] = [true, false].map((is) =>
    beyond.filter(({ verdict }) => (verdict.toolsTruncated === true) === is),
  ) as [Tool[], Tool[]];
  const limited = [
    reportLimit('agent_tools', read, (namespace) => `${brings(namespace)}, ${beyondRoom(fixed, most)}`, {
      effect,
    }),
    reportLimit('agent_tools', unread, unreadServers(unread), { effect, fix: SHORTER_LIST, helps: false }),
  ];
  const gone = new Set(beyond);
  const fitting =
    gone.size === 0
      ? document
      : holmesDocument(
          tools.filter((tool) => !gone.has(tool)),
          holmes,
        );
  yield;
  const content = yield* holmesTextInSteps(fitting.document);
  rendered(content, fitting.document);
  return {
    artifacts: [{ name: FILE, mediaType: 'application/yaml', content }],
    cuts: limited.flatMap(({ cuts }) => cuts),
    notes: fitting.notes,
    omissions: fitting.omissions,
    limitNotes: [...limited.flatMap(({ notes }) => notes), ...beyondModel(fixed, most)],
  };
}

const bytes = (text: string): number => Buffer.byteLength(text);

/** The overhead of a YAML entry: indentation, key and quotes. */
const LINE = 16;

/** Estimates the size of a tool in `custom_toolset.yaml`, in bytes. */
function sizeOf(tool: Tool): number {
  const { endpoint } = tool;
  const entry = entryOf(tool);
  const url = bytes(endpointUrl(endpoint)) + LINE;
  if ('mcp' in entry) {
    const globs = tool.added === true ? [] : approvalRequired(tool.verdict);
    const approval = globs.reduce((sum, glob) => sum + bytes(glob) + LINE, 0);
    return url + bytes(tool.key) + bytes(describe(tool)) + approval + 120;
  }
  if ('http' in entry) {
    const paths = entry.http.paths.map((path) => bytes(path) + endpoint.path.length + LINE);
    const own = describe(tool) === tool.kind ? 0 : bytes(describe(tool));
    return 2 * url + bytes(tool.tool) + own + 60 + paths.reduce((sum, each) => sum + each, 0);
  }
  if (!('toolsets' in entry)) return 0;
  const fields = Object.keys(entry.config).length;
  return entry.toolsets.length * (bytes(tool.tool) + LINE + fields * (url + LINE));
}

/** `custom_toolset.yaml`, which HolmesGPT loads. */
export const holmesgpt: Output<HolmesSettings> = {
  id: HOLMESGPT,
  documents: [
    {
      name: FILE,
      mediaType: 'application/yaml',
      comment: '#',
      file: { path: /toolsets?\.ya?ml$/, keys: ['toolsets', 'mcp_servers'] },
      check: holmesTextFaults,
    },
  ],
  mapping: holmesMapping,
  render,
  sizeOf,
  contains: containsIn,
  // Before 0.32 a toolset supports one backend, and the published one keeps its place.
  usesPublished: ({ holmesgptVersion }) => holmesgptVersion === '0.20',
  loosened,
  switchedOn,
  unpaired,
  whyAsksBeforeEach,
  questionsOf: (key, verdict, overrides, lists) => questionsOf(key, verdict, patchIn(overrides), lists),
  credentialKeys: (mapping) => exampleKeys(mapping as HolmesEntry),
  overrides: { ...holmesOverrides, faults: patchFaults },
};
