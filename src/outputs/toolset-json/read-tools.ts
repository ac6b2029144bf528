import type { PublishedTool } from '../../model/published-tools.ts';

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function metadataOf(value: unknown): Record<string, string> {
  const entries = isObject(value) ? Object.entries(value) : [];
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The tools in a `toolset.json`; none where it is something else, as after a hand edit. */
export function readTools(text: string | undefined): PublishedTool[] {
  let content: unknown;
  try {
    content = JSON.parse(text ?? '');
  } catch {
    // There is nothing to compare with, and the text is replaced anyway.
    return [];
  }
  const tools: unknown = isObject(content) ? content.tools : [];
  if (!Array.isArray(tools)) return [];
  return tools
    .filter(isObject)
    .flatMap(({ name, type, endpoint, description, cluster, namespace, metadata }) =>
      typeof name !== 'string'
        ? []
        : {
            name,
            type: textOf(type),
            endpoint: textOf(endpoint),
            description: textOf(description),
            ...(typeof cluster === 'string' ? { cluster } : {}),
            ...(typeof namespace === 'string' ? { namespace } : {}),
            metadata: metadataOf(metadata),
          },
    );
}
