import { chmod, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Document, isMap, parseDocument, stringify, visit } from 'yaml';
import * as z from 'zod';
import { ConfigError } from '../../model/errors.ts';
import type { Published } from '../../model/published.ts';
import { unreadable } from '../../model/unreadable.ts';
import { OWN_ANNOTATIONS } from '../../planning/plan.ts';
import {
  type ConfigMapName,
  type OwnedConfigMap,
  ownedConfigMap,
  restoredConfigMap,
} from '../config-map/config-map.ts';
import type { Publisher } from '../publisher.ts';

const texts = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {});
const configMap = z.object({
  kind: z.literal('ConfigMap'),
  metadata: z.object({ labels: texts, annotations: texts }),
  data: texts,
});

const STYLE = { lineWidth: 0, aliasDuplicateObjects: false } as const;

const isEmpty = (text: string): boolean => text.trim() === '';
const isJson = (text: string): boolean => text.trimStart().startsWith('{');

/** What is wrong with a file that is to hold the manifest of a ConfigMap. */
function fault(document: Document.Parsed): string | undefined {
  const [error] = document.errors;
  if (error !== undefined) return error.message;
  if (!isMap(document.contents)) return 'it is not a mapping';
  let aliases = false;
  visit(document, {
    Alias: () => {
      aliases = true;
      return visit.BREAK;
    },
  });
  if (aliases) return 'it has aliases, and a change of one of our values could change one of yours';
  const shape = configMap.safeParse(document.toJS());
  return shape.success ? undefined : z.prettifyError(shape.error);
}

/** Puts our fields into a manifest, and leaves all others as they are. */
function merge(document: Document.Parsed, object: OwnedConfigMap): void {
  const { name, namespace, labels, annotations } = object.metadata;
  const put = (path: readonly string[], values: Readonly<Record<string, string>>): void => {
    if (!isMap(document.getIn(path, true))) document.setIn(path, document.createNode({}));
    for (const [key, value] of Object.entries(values)) document.setIn([...path, key], value);
  };
  put(['metadata'], { name, namespace });
  put(['metadata', 'labels'], labels);
  put(['metadata', 'annotations'], annotations);
  for (const key of OWN_ANNOTATIONS)
    if (!Object.hasOwn(annotations, key)) document.deleteIn(['metadata', 'annotations', key]);
  put(['data'], object.data);
}

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** The file that a path leads to, which a symbolic link may name before it is there. */
async function fileOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    const named = await readlink(path).catch(() => undefined);
    return named === undefined ? path : resolve(dirname(path), named);
  }
}

/** The permissions of a file; nothing where it is not there. */
async function modeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o7777;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Publishes into a file that holds the manifest of a ConfigMap, as YAML or JSON. What else stands in the file, such as
 * other data keys and comments, is kept.
 */
export function filePublisher(path: string, target: ConfigMapName): Publisher {
  const readText = async (): Promise<string> => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return '';
      throw new ConfigError(`cannot read ${path}: ${unreadable(error)}; name another with --out`, {
        cause: error,
      });
    }
  };
  const documentOf = (text: string): Document.Parsed => {
    const document = parseDocument(text);
    const wrong = fault(document);
    if (wrong === undefined) return document;
    throw new ConfigError(
      `${path} is there and is not the manifest of a ConfigMap (${wrong}), so it is left alone; name another file with --out`,
    );
  };
  /**
   * A reader of the file never sees half of it: it is written beside, then put in its place. The file keeps its
   * permissions, and a symbolic link stays one.
   */
  const replace = async (text: string): Promise<void> => {
    let temporary: string | undefined;
    try {
      const file = await fileOf(path);
      const mode = await modeOf(file);
      temporary = `${file}.${process.pid}.tmp`;
      await writeFile(temporary, text, mode === undefined ? {} : { mode: 0o600 });
      // The mode of a file that is made is cut by the umask.
      if (mode !== undefined) await chmod(temporary, mode);
      await rename(temporary, file);
    } catch (error) {
      if (temporary !== undefined) await rm(temporary, { force: true });
      throw new ConfigError(
        `cannot write ${path}: ${(error as Error).message}; name a writable file with --out`,
        { cause: error },
      );
    }
  };
  const read = async (): Promise<Published | undefined> => {
    const text = await readText();
    if (isEmpty(text)) return undefined;
    const { data, metadata } = configMap.parse(documentOf(text).toJS());
    return { data, ...metadata };
  };
  return {
    target: path,
    read,
    async apply(plan, now) {
      if (plan.action === 'none') return undefined;
      const owned = ownedConfigMap(target, plan, now);
      const object = plan.restore === undefined ? owned : restoredConfigMap(owned, plan.restore);
      const text = await readText();
      if (isEmpty(text)) await replace(stringify(object, STYLE));
      else {
        const document = documentOf(text);
        merge(document, object);
        await replace(
          isJson(text) ? `${JSON.stringify(document.toJS(), null, 2)}\n` : document.toString(STYLE),
        );
      }
      return read();
    },
  };
}
