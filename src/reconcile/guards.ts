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

/** The names of the tools in a `toolset.json`; none where it is something else, as after a hand edit. */
export function toolNames(text: string): string[] {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    // There is nothing to compare with, and it is put right anyway.
    return [];
  }
  const tools = typeof content === 'object' && content !== null && 'tools' in content ? content.tools : [];
  return Array.isArray(tools)
    ? tools.flatMap((tool: unknown) =>
        typeof tool === 'object' && tool !== null && 'name' in tool && typeof tool.name === 'string'
          ? [tool.name]
          : [],
      )
    : [];
}

/** Fewest tools whose loss at once is a reason to look twice. */
const MASS = 3;

/**
 * Tools that would go for reasons of health, when these are more than half of those that are published and at least
 * three: rather something between us and them is broken than all of them.
 * @param before what was published last
 * @param unhealthy names of the tools whose backends were found and are unhealthy
 */
export function massRemoval(
  before: Documents | undefined,
  next: Documents,
  unhealthy: ReadonlySet<string>,
): string[] {
  if (before === undefined) return [];
  const names = toolNames(before['toolset.json']);
  const after = new Set(toolNames(next['toolset.json']));
  const lost = names.filter((name) => !after.has(name) && unhealthy.has(name));
  return lost.length >= MASS && lost.length * 2 > names.length ? lost : [];
}
