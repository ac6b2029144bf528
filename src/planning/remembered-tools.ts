import { displayNamespace, HOME_CLUSTER, readKey } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { type NamespacedNote, noteEntries, noteOf } from './namespaced-note.ts';

/** Most bytes of the annotation, of the 256 KiB that all annotations of an object may have. */
const MOST_BYTES = 96 * 1024;

/** The published tools of Services as an annotation: what a hold on removals needs to know of them. */
export function toolsNote(tools: readonly PublishedTool[]): NamespacedNote {
  const entries = tools.flatMap(({ name, type, endpoint, cluster = HOME_CLUSTER, namespace, metadata }) =>
    namespace === undefined || metadata.service === undefined
      ? []
      : [
          {
            namespace: displayNamespace({ cluster, namespace }),
            key: metadata.service,
            value: [name, type, endpoint],
          },
        ],
  );
  return noteOf([{ entries, most: MOST_BYTES }]);
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** The tools in such an annotation. */
export function rememberedTools(text: string | undefined): readonly PublishedTool[] {
  return noteEntries(text).flatMap(({ namespace, key: service, value }): PublishedTool[] => {
    if (!Array.isArray(value) || value.length !== 3 || !value.every(isText)) return [];
    const [name = '', type = '', endpoint = ''] = value;
    const of = readKey(`${namespace}/${service}`);
    return [
      {
        ...{ name, type, endpoint, description: '', namespace: of.namespace, metadata: { service } },
        ...(of.cluster === HOME_CLUSTER ? {} : { cluster: of.cluster }),
      },
    ];
  });
}
