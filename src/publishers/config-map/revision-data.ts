import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as z from 'zod';
import { type Documents, namesOf, OVERRIDES_KEY } from '../../model/documents.ts';
import { ClusterError } from '../../model/errors.ts';
import type { Content } from '../../model/revision.ts';

/** Maximum size of documents that are stored uncompressed, for people to read, in bytes. */
const PLAIN = 128 * 1024;
/** The key of compressed documents: the JSON of all of them, by gzip, in base64. */
const COMPRESSED = 'documents.json.gz';
/** Maximum size of a revision's data, in bytes. etcd accepts requests of 1.5 MiB by default. */
const LARGEST = 1_300 * 1024;
/** Maximum size of decompressed data, in bytes. */
const UNPACKED = 32 * 1024 * 1024;

const documentsSchema = z.record(z.string(), z.string());

const bytesOf = (data: Documents): number =>
  Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/**
 * The `data` of a revision. Large documents are compressed, because each publication writes them, the cluster keeps ten
 * revisions, and those of several ConfigMaps are too large for one object.
 * @throws ClusterError if they are still too large
 */
export async function packRevision({
  documents,
  overrides,
}: Pick<Content, 'documents' | 'overrides'>): Promise<Readonly<Record<string, string>>> {
  const others = overrides === undefined ? {} : { [OVERRIDES_KEY]: overrides };
  if (bytesOf(documents) <= PLAIN) return { ...documents, ...others };
  const packed = await promisify(gzip)(JSON.stringify(documents));
  const data = { [COMPRESSED]: packed.toString('base64'), ...others };
  const bytes = bytesOf(data);
  if (bytes <= LARGEST) return data;
  throw new ClusterError(
    `a revision of ${Math.ceil(bytes / 1024)} KiB is too large for the cluster, which accepts ${LARGEST / 1024} KiB; lower MAX_SHARDS or leave tools out`,
  );
}

/** Reverses `packRevision`; `undefined` if the data has another form. */
export async function unpackRevision(
  data: Readonly<Record<string, string>>,
): Promise<Pick<Content, 'documents' | 'overrides'> | undefined> {
  const { [OVERRIDES_KEY]: overrides, [COMPRESSED]: packed, ...stored } = data;
  const documents = packed === undefined ? stored : await unpacked(packed);
  if (documents === undefined || Object.keys(documents).length === 0) return undefined;
  return {
    documents: Object.fromEntries(namesOf(documents).map((name) => [name, documents[name] ?? ''])),
    overrides,
  };
}

async function unpacked(text: string): Promise<Documents | undefined> {
  try {
    const json = await promisify(gunzip)(Buffer.from(text, 'base64'), { maxOutputLength: UNPACKED });
    return documentsSchema.parse(JSON.parse(json.toString('utf8')));
  } catch {
    // An object of others with our labels.
    return undefined;
  }
}
