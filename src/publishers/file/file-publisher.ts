import { createHash } from 'node:crypto';
import type { Document } from 'yaml';
import { readRegularFile } from '../../files/read-text.ts';
import { FileChangedError, replaceFile } from '../../files/replace-file.ts';
import { waitUntilQuiet } from '../../files/wait-until-quiet.ts';
import { watchFiles } from '../../files/watch-files.ts';
import { type Documents, shardName } from '../../model/documents.ts';
import { ConfigError } from '../../model/errors.ts';
import type { Plan, Published } from '../../model/published.ts';
import { unreadable } from '../../model/unreadable.ts';
import { OVERRIDE_ERROR } from '../../planning/plan.ts';
import {
  type ConfigMapName,
  dataOf,
  foreignKeys,
  formerShard,
  isFormerShard,
  isIntactShard,
  keptLine,
  type OwnedConfigMap,
  ownedConfigMaps,
  restoredConfigMap,
} from '../config-map/config-map.ts';
import { PublishConflict, type Publisher, ShardsRefused } from '../publisher.ts';
import {
  configMapIn,
  documentsIn,
  isEmpty,
  isJson,
  type ManifestConfigMap,
  manifestFault,
  merge,
  newManifest,
  release,
  renamed,
  shardIn,
  textOf,
} from './manifest.ts';

/** Twice what 16 ConfigMaps, the maximum of `MAX_SHARDS`, can hold: YAML indents and escapes. */
const MAX_BYTES = 32 * 1024 * 1024;

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** The manifests of ConfigMaps in a file, by shard. */
type Manifests = ReadonlyMap<number, Document.Parsed>;

/** The text of one manifest, new or updated. An unchanged manifest keeps its text. */
function manifestText(
  object: OwnedConfigMap,
  shard: number,
  before: Document.Parsed | undefined,
  isInJson: boolean,
): string {
  if (before === undefined) return newManifest(object);
  const { data } = configMapIn(before);
  const isSame = Object.entries(object.data).every(([key, text]) => data[key] === text);
  if (shard === 1 || !isSame) merge(before, object);
  return textOf(before, isInJson);
}

/** Joins the texts of documents into one YAML stream. */
const streamOf = (texts: readonly string[]): string =>
  texts.map((text, index) => (index === 0 || text.startsWith('---') ? text : `---\n${text}`)).join('');

/**
 * How long after a write to check the file, in milliseconds. The watch polls more often, and does not notice a new file that
 * is removed before the next poll.
 */
const RECHECK_MS = 5_000;

/** How long others must not have written to a file before it is replaced, in milliseconds. */
export interface QuietTimes {
  readonly usual: number;
  /** If its content looks unfinished. */
  readonly unfinished: number;
}

const QUIET: QuietTimes = { usual: 3_000, unfinished: 10_000 };

/** Identifies a text. */
const versionOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Whether one of our documents is missing or truncated, as in a file that is still being written. */
const isCut = (found: Documents, published: Documents): boolean =>
  Object.entries(published).some(
    ([name, text]) => found[name] !== text && text.startsWith(found[name] ?? ''),
  );

/**
 * Publishes to a file with the manifest of a ConfigMap, as YAML or JSON. Everything else in the file is kept, such as other
 * data keys and comments. Further shards are more documents of the YAML stream. A file that others write to is replaced only
 * after they have paused.
 * @param tell called with one line when a shard is no longer needed and is kept, because others wrote into it, and when a
 * name in the file is replaced
 */
export function filePublisher(
  path: string,
  target: ConfigMapName,
  tell: (line: string) => void = () => {},
  quiet: QuietTimes = QUIET,
): Publisher {
  /** The text that was read or written last, so that our own changes are not reported. */
  let known: string | undefined;
  /** What was written last. */
  let own: { readonly text: string; readonly documents: Documents } | undefined;
  /** Checks the file once more, later. */
  let recheck = (): void => {};
  const readText = async (signal: AbortSignal): Promise<string> => {
    try {
      return await readRegularFile(path, MAX_BYTES, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isMissing(error)) return '';
      throw new ConfigError(`cannot read ${path}: ${unreadable(error, 'choose another file with --out')}`, {
        cause: error,
      });
    }
  };
  const refused = (why: string): ConfigError =>
    new ConfigError(
      `${path} already exists and is not the manifest of a ConfigMap (${why}), so it is left alone; correct it, or choose another file with --out`,
    );
  const isShard = (shard: number, object: ManifestConfigMap): boolean =>
    isIntactShard(target, shard, object) || isFormerShard(target, shard, object);
  /** The texts of shards that are no longer needed, and that others wrote into. */
  const keptTexts = (before: Manifests, plan: Plan, owned: number): string[] =>
    [...before].flatMap(([shard, document]) => {
      if (shard <= owned) return [];
      const object = configMapIn(document);
      if (isFormerShard(target, shard, object)) return [textOf(document, false)];
      const keys = foreignKeys(object, plan);
      if (keys.length === 0) return [];
      release(document, formerShard(target, shard), keys);
      tell(keptLine(`${path}: ConfigMap ${target.name}-${shard}`, keys));
      return [textOf(document, false)];
    });
  const manifestsIn = (text: string): Manifests => {
    const manifests = new Map<number, Document.Parsed>();
    for (const [index, document] of documentsIn(text).entries()) {
      const wrong = manifestFault(document, text);
      if (wrong !== undefined) throw refused(wrong);
      const object = configMapIn(document);
      const shard = index === 0 ? 1 : shardIn(object);
      if (manifests.has(shard) || (index > 0 && !isShard(shard, object)))
        throw refused(`its document ${index + 1} is something else`);
      manifests.set(shard, document);
    }
    return manifests;
  };
  /** Replaces a text that may still be written. */
  const replace = async (
    text: string,
    before: string,
    quietMs: number,
    signal: AbortSignal,
  ): Promise<void> => {
    try {
      if (before !== own?.text) await waitUntilQuiet(path, quietMs, signal);
      await replaceFile(path, text, before);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof FileChangedError) throw new PublishConflict(`${path}: ${error.message}`);
      throw new ConfigError(
        `cannot write ${path}: ${(error as Error).message}; name a writable file with --out`,
        { cause: error },
      );
    }
  };
  const publishedIn = (text: string): Published | undefined => {
    if (isEmpty(text)) return undefined;
    const objects = [...manifestsIn(text)].map(([shard, document]) => ({ shard, ...configMapIn(document) }));
    const parts = objects.filter(
      ({ shard, ...object }) => shard === 1 || isIntactShard(target, shard, object),
    );
    const data = parts.flatMap(({ shard, ...object }) =>
      Object.entries(dataOf(object)).map(([key, content]) => [shardName(key, shard), content] as const),
    );
    const binary = parts.flatMap(({ shard, binaryData }) =>
      Object.keys(binaryData).map((key) => shardName(key, shard)),
    );
    return {
      data: Object.fromEntries(data),
      binary,
      ...(objects[0]?.metadata ?? { labels: {}, annotations: {} }),
      version: versionOf(text),
    };
  };
  return {
    target: path,
    async read(signal) {
      known = await readText(signal);
      return publishedIn(known);
    },
    isUsable: async (_refused, signal) => !isJson(await readText(signal)),
    async apply(plan, now, signal) {
      if (plan.action === 'none') return undefined;
      const text = await readText(signal);
      const owned = ownedConfigMaps(target, plan, now);
      if (owned.length > 1 && isJson(text))
        throw new ShardsRefused(
          1,
          `${path} is JSON, which holds one ConfigMap; delete it, or name a YAML file with --out`,
        );
      const before: Manifests = isEmpty(text) ? new Map() : manifestsIn(text);
      // Documents and restored overrides follow from the text that was read.
      if ((isEmpty(text) ? undefined : versionOf(text)) !== plan.basis)
        throw new PublishConflict(`${path}: ${new FileChangedError().message}`);
      const names = owned.flatMap((object, index) => renamed(before.get(index + 1), object));
      const texts = owned.map((object, index) => {
        const whole =
          index === 0 && plan.restore !== undefined ? restoredConfigMap(object, plan.restore) : object;
        return manifestText(whole, index + 1, before.get(index + 1), isJson(text));
      });
      const written = streamOf([...texts, ...keptTexts(before, plan, owned.length)]);
      const isUnfinished =
        plan.annotations[OVERRIDE_ERROR] !== undefined ||
        isCut(publishedIn(text)?.data ?? {}, own?.documents ?? {});
      await replace(written, text, isUnfinished ? quiet.unfinished : quiet.usual, signal);
      known = written;
      own = { text: written, documents: plan.documents };
      for (const name of names) tell(`${path}: replaced the ${name}, as in the settings`);
      recheck();
      // Not read again: others may have changed the file already, which is their change.
      return publishedIn(written);
    },
    async watch(changed, _failed, signal) {
      const check = async (): Promise<void> => {
        // The next read reports a file that cannot be read.
        const text = await readText(signal).catch(() => undefined);
        if (!signal.aborted && text !== known) changed();
      };
      recheck = () => void setTimeout(() => void check(), RECHECK_MS).unref();
      watchFiles({ files: [path] }, () => void check(), signal);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    },
  };
}
