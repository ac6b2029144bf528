/** A mapping in JSON or YAML. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Whether a value is a mapping. A date, which YAML 1.1 has, is not. */
export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** A value if it is a mapping, otherwise an empty one. */
export const mappingOf = (value: unknown): Mapping => (isMapping(value) ? value : {});

/** The keys of all mappings, each once. */
export const keysOf = (...maps: readonly Mapping[]): string[] => [...new Set(maps.flatMap(Object.keys))];
