import { byShard, type Documents } from '../model/documents.ts';

/** Kubernetes rejects objects over 1 MiB. The limit leaves room for other keys and the object's metadata. */
const MAX_BYTES = 900 * 1024;
const WARN_BYTES = 500 * 1024;

/**
 * Checks the size of documents: too large to publish, or nearly so. `undefined` if they are small enough. If documents are
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
  if (bytes <= (isDivided ? MAX_BYTES : WARN_BYTES)) return undefined;
  const kib = Math.ceil(bytes / 1024);
  const which = isDivided ? 'the documents of one ConfigMap' : 'the documents';
  return {
    refused: bytes > MAX_BYTES,
    what:
      bytes > MAX_BYTES
        ? `${which} have ${kib} KiB, and a ConfigMap takes ${MAX_BYTES / 1024} KiB of them`
        : `${which} have ${kib} KiB, and at ${MAX_BYTES / 1024} KiB they are no longer published`,
    fix: 'watch fewer namespaces, narrow detectors, or leave tools out with overrides',
  };
}
