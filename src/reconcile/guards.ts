import { DOCUMENT_KEYS, type Documents } from '../model/documents.ts';
import type { Published } from '../model/published.ts';

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

function toolNames(text: string | undefined): string[] {
  try {
    const { tools } = JSON.parse(text ?? '') as { tools?: unknown };
    return Array.isArray(tools) ? tools.flatMap(({ name }) => (typeof name === 'string' ? [name] : [])) : [];
  } catch {
    // Edited by hand into something else: there is nothing to compare with, and it is put right anyway.
    return [];
  }
}

/** Fewest tools whose loss at once is a reason to look twice. */
const MASS = 3;

/**
 * Tools that would go for reasons of health, when these are more than half of those that are published and at least
 * three: rather something between us and them is broken than all of them.
 * @param unhealthy names of the tools whose backends were found and are unhealthy
 */
export function massRemoval(
  live: Published | undefined,
  next: Documents,
  unhealthy: ReadonlySet<string>,
): string[] {
  const before = toolNames(live?.data['toolset.json']);
  const after = new Set(toolNames(next['toolset.json']));
  const lost = before.filter((name) => !after.has(name) && unhealthy.has(name));
  return lost.length >= MASS && lost.length * 2 > before.length ? lost : [];
}

/**
 * Keys of the generated documents that somebody else changed since they were published.
 * @param published what was published last, as far as it is known
 */
export function drift(live: Published | undefined, published: Documents | undefined): string[] {
  if (live === undefined || published === undefined) return [];
  return DOCUMENT_KEYS.filter((key) => live.data[key] !== published[key]);
}
