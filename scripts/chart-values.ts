import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, parseDocument, type YAMLMap } from 'yaml';

/** A value of the Helm chart, as `values.yaml` explains it. */
export interface ChartValue {
  /** Its path, such as `image.tag`. */
  readonly path: string;
  /** The default, as JSON. */
  readonly unset: string;
  readonly meaning: string;
}

/** The values of a `values.yaml`, in order. A mapping counts as one value if its entries have no comments. */
export function chartValues(file: string): readonly ChartValue[] {
  const document = parseDocument(readFileSync(file, 'utf8'));
  if (!isMap(document.contents)) throw new Error(`${file} is not a mapping`);
  return [...valuesOf(document.contents, '', document.commentBefore)];
}

function* valuesOf(map: YAMLMap, path: string, above?: string | null): Generator<ChartValue> {
  for (const [index, { key, value }] of map.items.entries()) {
    if (!isScalar(key)) continue;
    const first = index === 0 ? (map.commentBefore ?? above) : undefined;
    const comment = key.commentBefore ?? first ?? '';
    const name = `${path}${key.value}`;
    if (isMap(value) && value.items.length > 0 && (typeof value.commentBefore === 'string' || comment === ''))
      yield* valuesOf(value, `${name}.`);
    else
      yield {
        path: name,
        unset: JSON.stringify(isNode(value) ? value.toJSON() : value),
        meaning: comment.replace(/\s+/g, ' ').trim(),
      };
  }
}
