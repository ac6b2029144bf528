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

/** Bytes that a tool takes: its text, four more spaces in each line, a comma and a line break. */
function sizeOf(tool: Tool): number {
  const text = JSON.stringify(publishedTool(tool), null, 2);
  return Buffer.byteLength(text) + 4 * text.split('\n').length + 2;
}

/** `toolset.json`, for any client. It lists every published tool, so it is also where they are read back. */
export const toolsetJsonOutput: Output = {
  id: 'toolset-json',
  documents: [{ name: NAME, mediaType: 'application/json', check }],
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
  readBack: (documents) => readTools(documents[NAME]),
};
