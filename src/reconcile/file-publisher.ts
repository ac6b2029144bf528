import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isMap, parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { EXIT, UserError } from '../model/exit.ts';
import { type ConfigMapName, ownedConfigMap } from './config-map.ts';
import { OWN_ANNOTATIONS } from './plan.ts';
import type { Publisher } from './publisher.ts';

const texts = z.record(z.string(), z.string()).default({});
const configMap = z.object({
  kind: z.literal('ConfigMap'),
  metadata: z.object({ labels: texts, annotations: texts }),
  data: texts,
});

const STYLE = { lineWidth: 0, aliasDuplicateObjects: false } as const;

/**
 * Publishes into a file that holds the manifest of a ConfigMap. What else stands in the file, such as other data keys
 * and comments, is kept.
 */
export function filePublisher(path: string, target: ConfigMapName): Publisher {
  const readText = async (): Promise<string | undefined> => {
    try {
      return await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new UserError(`cannot read ${path}: ${(error as Error).message}`, EXIT.usage, { cause: error });
    }
  };
  const documentOf = (text: string): ReturnType<typeof parseDocument> => {
    const document = parseDocument(text);
    const broken =
      document.errors[0]?.message ?? (isMap(document.contents) ? undefined : 'it is not a mapping');
    const shape = broken === undefined ? configMap.safeParse(document.toJS()) : undefined;
    if (broken !== undefined || shape?.success === false)
      throw new UserError(
        `${path} is there and is not the manifest of a ConfigMap (${broken ?? z.prettifyError(shape?.error ?? new z.ZodError([]))}), so it is left alone; name another file with --out`,
        EXIT.usage,
      );
    return document;
  };
  /** A reader of the file never sees half of it: it is written beside, then put in its place. */
  const replace = async (text: string): Promise<void> => {
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      await writeFile(temporary, text);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw new UserError(
        `cannot write ${path}: ${(error as Error).message}; name a writable file with --out`,
        EXIT.usage,
        { cause: error },
      );
    }
  };
  return {
    target: path,
    async read() {
      const text = await readText();
      if (text === undefined || text.trim() === '') return undefined;
      const { data, metadata } = configMap.parse(documentOf(text).toJS());
      return { data, ...metadata };
    },
    async apply(plan, now) {
      if (plan.action === 'none') return;
      const object = ownedConfigMap(target, plan, now);
      const text = await readText();
      if (text === undefined || text.trim() === '') return await replace(stringify(object, STYLE));
      const document = documentOf(text);
      for (const [key, value] of [
        ['name', object.metadata.name],
        ['namespace', object.metadata.namespace],
      ] as const)
        document.setIn(['metadata', key], value);
      for (const [key, value] of Object.entries(object.metadata.labels))
        document.setIn(['metadata', 'labels', key], value);
      for (const [key, value] of Object.entries(object.metadata.annotations))
        document.setIn(['metadata', 'annotations', key], value);
      for (const key of OWN_ANNOTATIONS)
        if (!Object.hasOwn(object.metadata.annotations, key))
          document.deleteIn(['metadata', 'annotations', key]);
      for (const [key, value] of Object.entries(object.data)) document.setIn(['data', key], value);
      await replace(document.toString(STYLE));
    },
  };
}
