import { DOCUMENT_KEYS, type Documents } from '../model/documents.ts';

/** Kubernetes refuses objects over 1 MiB; others' keys and the object's own fields need room too. */
const LARGEST = 900 * 1024;
const LARGE = 500 * 1024;

/** Whether documents are too large to publish, or nearly so, in words; nothing while they are small enough. */
export function sizeFault(
  documents: Documents,
): { readonly refused: boolean; readonly what: string; readonly fix: string } | undefined {
  const bytes = DOCUMENT_KEYS.reduce((sum, key) => sum + Buffer.byteLength(documents[key]), 0);
  if (bytes <= LARGE) return undefined;
  const kib = Math.ceil(bytes / 1024);
  return {
    refused: bytes > LARGEST,
    what:
      bytes > LARGEST
        ? `the documents have ${kib} KiB, and a ConfigMap takes ${LARGEST / 1024} KiB of them`
        : `the documents have ${kib} KiB, and at ${LARGEST / 1024} KiB they are not published any more`,
    fix: 'watch fewer namespaces, narrow detectors, or leave tools out with overrides',
  };
}

/** What is read back of a tool in a `toolset.json`; empty where the document does not say it. */
export interface PublishedTool {
  readonly name: string;
  readonly type: string;
  readonly endpoint: string;
  readonly description: string;
  readonly namespace?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

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
export function publishedTools(text: string): PublishedTool[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // There is nothing to compare with, and it is put right anyway.
    return [];
  }
  const tools: unknown = isObject(content) ? content.tools : [];
  if (!Array.isArray(tools)) return [];
  return tools.filter(isObject).flatMap(({ name, type, endpoint, description, namespace, metadata }) =>
    typeof name !== 'string'
      ? []
      : {
          name,
          type: textOf(type),
          endpoint: textOf(endpoint),
          description: textOf(description),
          ...(typeof namespace === 'string' ? { namespace } : {}),
          metadata: metadataOf(metadata),
        },
  );
}

/** The names of the tools in a `toolset.json`; none where it is something else, as after a hand edit. */
export const toolNames = (text: string): string[] => publishedTools(text).map(({ name }) => name);
