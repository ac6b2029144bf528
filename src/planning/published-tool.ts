import { endpointUrl } from '../model/discovery.ts';
import { clusterField } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { describe } from './description.ts';
import type { Tool } from './tools.ts';

/** Converts a tool to its published form. */
export function publishedTool(tool: Tool): PublishedTool {
  return {
    name: tool.tool,
    type: tool.type,
    endpoint: endpointUrl(tool.endpoint),
    description: describe(tool),
    ...clusterField(tool),
    ...(tool.namespace === undefined ? {} : { namespace: tool.namespace }),
    metadata: { ...tool.metadata },
  };
}
