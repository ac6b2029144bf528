import type { Omission } from '../../../model/documents.ts';
import { type Mapping, mappingOf } from '../../../model/mapping.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import { same } from '../../../model/same.ts';
import { toolKey } from '../../../model/service.ts';
import type { InForce } from '../../output.ts';
import { containsInDocument } from '../checks/contains.ts';
import type { JoinedFile } from './agent-file.ts';

/** Where they are left out. */
const PLACE = "HolmesGPT's own ConfigMap";

/** `namespace/service` of a tool. A user's own tool has none, and has its name as its key. */
const keyOf = ({ cluster = '', namespace, name, metadata: { service } }: PublishedTool): string =>
  namespace === undefined || service === undefined ? name : toolKey({ cluster, namespace, name: service });

/**
 * The tools of the generated file that HolmesGPT does not get from it, because of what people wrote in HolmesGPT's own
 * ConfigMap.
 * @param generated the generated file
 * @param file the file that HolmesGPT reads
 * @param duplicates names of the generated MCP servers that people list already
 */
export function leftOutByPeople(
  generated: Mapping,
  file: Mapping,
  duplicates: JoinedFile['notes'],
  tools: readonly PublishedTool[],
): readonly Omission[] {
  const [isOffered, isUsed] = [containsInDocument(generated), containsInDocument(file)];
  const listed = new Map(duplicates.map(({ name, note }) => [name, note.what]));
  return tools.flatMap((tool): Omission[] => {
    const key = keyOf(tool);
    const twice = listed.get(key);
    const left = { key, tool: tool.name, leftOutOf: PLACE };
    if (twice !== undefined) return [{ ...left, cause: 'listed', why: twice }];
    if (!isOffered(tool) || isUsed(tool)) return [];
    return [
      {
        ...left,
        cause: 'removed',
        why: 'what people wrote there removes it, switches it off, has its name, or cannot be merged with it',
        fix: 'to have it back, edit the key custom_toolset.person.yaml',
      },
    ];
  });
}

/**
 * By name of an MCP server that both files have: the tools before which the agent asks, if they are others in the file that
 * HolmesGPT reads.
 */
export function otherLists(generated: Mapping, file: Mapping): InForce['lists'] {
  const [ours, theirs] = [generated, file].map((each) => mappingOf(each.mcp_servers)) as [Mapping, Mapping];
  const lists = Object.keys(ours).flatMap((name): [string, string[]][] => {
    if (!Object.hasOwn(theirs, name)) return [];
    const [offered, used] = [ours[name], theirs[name]].map((each) => mappingOf(each).approval_required_tools);
    return same(offered, used) ? [] : [[name, [used ?? []].flat().map(String)]];
  });
  return Object.fromEntries(lists);
}
