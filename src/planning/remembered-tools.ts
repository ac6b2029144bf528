import { beyondShare } from '../model/fair-share.ts';
import { displayNamespace, HOME_CLUSTER, readKey } from '../model/key.ts';
import type { PublishedTool } from '../model/published-tools.ts';

/** Most bytes of the annotation, of the 256 KiB that all annotations of an object may have. */
const MOST_BYTES = 96 * 1024;

/** Tools as an annotation, and how many of each namespace it has no room for. */
export interface ToolsNote {
  readonly text: string;
  readonly omitted: ReadonlyMap<string, number>;
}

interface Entry {
  readonly namespace: string;
  readonly service: string;
  readonly values: readonly [name: string, type: string, endpoint: string];
}

/** The published tools of Services as an annotation: what a hold on removals needs to know of them. */
export function toolsNote(tools: readonly PublishedTool[]): ToolsNote {
  const entries = tools.flatMap(({ name, type, endpoint, cluster = HOME_CLUSTER, ...tool }): Entry[] => {
    const { namespace, metadata } = tool;
    if (namespace === undefined || metadata.service === undefined) return [];
    const shown = displayNamespace({ cluster, namespace });
    return [{ namespace: shown, service: metadata.service, values: [name, type, endpoint] }];
  });
  const beyond = new Set(
    beyondShare(entries, {
      group: ({ namespace }) => namespace,
      // The namespace counts for each of its tools, which is more than it takes.
      size: (each) => Buffer.byteLength(JSON.stringify([each.namespace, each.service, each.values])) + 4,
      total: MOST_BYTES,
    }),
  );
  const kept = Map.groupBy(
    entries.filter((each) => !beyond.has(each)),
    ({ namespace }) => namespace,
  );
  const content = [...kept].map(([namespace, each]) => [
    namespace,
    Object.fromEntries(each.map(({ service, values }) => [service, values])),
  ]);
  const omitted = Map.groupBy(beyond, ({ namespace }) => namespace);
  return {
    text: content.length === 0 ? '' : JSON.stringify(Object.fromEntries(content)),
    omitted: new Map([...omitted].map(([namespace, each]) => [namespace, each.length])),
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isText = (value: unknown): value is string => typeof value === 'string';

/** The tools in such an annotation; none in a text that is something else. */
export function rememberedTools(text: string | undefined): readonly PublishedTool[] {
  let content: unknown;
  try {
    content = JSON.parse(text ?? '{}');
  } catch {
    return [];
  }
  return Object.entries(isObject(content) ? content : {}).flatMap(([namespace, services]) =>
    Object.entries(isObject(services) ? services : {}).flatMap(([service, values]): PublishedTool[] => {
      if (!Array.isArray(values) || values.length !== 3 || !values.every(isText)) return [];
      const [name = '', type = '', endpoint = ''] = values;
      const of = readKey(`${namespace}/${service}`);
      return [
        {
          ...{ name, type, endpoint, description: '', namespace: of.namespace, metadata: { service } },
          ...(of.cluster === HOME_CLUSTER ? {} : { cluster: of.cluster }),
        },
      ];
    }),
  );
}
