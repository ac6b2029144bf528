/** A mapping of JSON or YAML. */
export type Mapping = Readonly<Record<string, unknown>>;

/** Whether a value is a mapping; a date, which YAML 1.1 knows, is none. */
export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
