import { byShard, type Documents } from '../model/documents.ts';

/** Kubernetes refuses objects over 1 MiB; others' keys and the object's own fields need room too. */
const LARGEST = 900 * 1024;
const LARGE = 500 * 1024;

/**
 * Whether documents are too large to publish, or nearly so, in words; nothing while they are small enough. Of those that are
 * divided among several ConfigMaps, each must fit.
 */
export function sizeFault(
  documents: Documents,
): { readonly refused: boolean; readonly what: string; readonly fix: string } | undefined {
  const shards = [...byShard(documents).values()].map((all) =>
    Object.values(all).reduce((sum, text) => sum + Buffer.byteLength(text), 0),
  );
  const bytes = Math.max(0, ...shards);
  const isDivided = shards.length > 1;
  if (bytes <= (isDivided ? LARGEST : LARGE)) return undefined;
  const kib = Math.ceil(bytes / 1024);
  const which = isDivided ? 'the documents of one ConfigMap' : 'the documents';
  return {
    refused: bytes > LARGEST,
    what:
      bytes > LARGEST
        ? `${which} have ${kib} KiB, and a ConfigMap takes ${LARGEST / 1024} KiB of them`
        : `${which} have ${kib} KiB, and at ${LARGEST / 1024} KiB they are no longer published`,
    fix: 'watch fewer namespaces, narrow detectors, or leave tools out with overrides',
  };
}
