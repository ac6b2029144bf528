import { partsOf } from '../../model/documents.ts';
import type { PublishedTool } from '../../model/published-tools.ts';
import { jsonText } from '../../model/visible.ts';
import type { YamlLimits } from '../../model/yaml-document.ts';
import { readYaml } from '../../model/yaml-text.ts';
import { publishedTool } from '../../planning/published-tool.ts';
import type { Tool } from '../../planning/tools.ts';
import { asFaults, type ContentFaults } from '../faults.ts';
import type { Output } from '../output.ts';
import { readTools } from './read-tools.ts';
import { toolsetJson, toolsetJsonSchema } from './toolset-json.ts';

const NAME = 'toolset.json';

const check = (text: string, limits: YamlLimits): ContentFaults =>
  asFaults(readYaml(text, toolsetJsonSchema, { limits }));

const byName = (a: Tool, b: Tool): number => (a.tool < b.tool ? -1 : a.tool > b.tool ? 1 : 0);

/** The tools of all parts by name. A tool that two parts have, as between two writes, counts once. */
function joined(parts: readonly string[]): readonly PublishedTool[] {
  const [only = '', ...others] = parts;
  if (others.length === 0) return readTools(only);
  const tools = new Map(parts.flatMap(readTools).map((tool) => [tool.name, tool]));
  return [...tools.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Bytes that a tool takes: its text, four more spaces in each line, a comma and a line break. */
function sizeOf(tool: Tool): number {
  const text = jsonText(publishedTool(tool), 2);
  return Buffer.byteLength(text) + 4 * text.split('\n').length + 2;
}

/** `toolset.json`, for any client. It lists every published tool, so it is also where they are read back. */
export const toolsetJsonOutput: Output = {
  id: 'toolset-json',
  documents: [
    { name: NAME, mediaType: 'application/json', file: { path: /\.json$/, keys: ['tools'] }, check },
  ],
  render: (ordered) => ({
    artifacts: [
      {
        name: NAME,
        mediaType: 'application/json',
        content: toolsetJson(ordered.toSorted(byName).map(publishedTool)),
      },
    ],
  }),
  sizeOf,
  readBack: (documents) => joined(partsOf(documents, NAME).map(([, text]) => text)),
  division: { join: (parts) => toolsetJson(joined(parts)) },
};
