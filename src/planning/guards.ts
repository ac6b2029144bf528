import type { Documents } from '../model/documents.ts';

/** Kubernetes refuses objects over 1 MiB; others' keys and the object's own fields need room too. */
const LARGEST = 900 * 1024;
const LARGE = 500 * 1024;

/** Whether documents are too large to publish, or nearly so, in words; nothing while they are small enough. */
export function sizeFault(
  documents: Documents,
): { readonly refused: boolean; readonly what: string; readonly fix: string } | undefined {
  const bytes = Object.values(documents).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes <= LARGE) return undefined;
  const kib = Math.ceil(bytes / 1024);
  return {
    refused: bytes > LARGEST,
    what:
      bytes > LARGEST
        ? `the documents have ${kib} KiB, and a ConfigMap takes ${LARGEST / 1024} KiB of them`
        : `the documents have ${kib} KiB, and at ${LARGEST / 1024} KiB they are no longer published`,
    fix: 'watch fewer namespaces, narrow detectors, or leave tools out with overrides',
  };
}
