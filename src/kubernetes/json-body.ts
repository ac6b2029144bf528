const ESCAPES: Readonly<Record<string, string>> = {
  '&': '\\u0026',
  '<': '\\u003c',
  '>': '\\u003e',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * Encodes a request body like the API server itself: Go's JSON encoder escapes these five characters.
 *
 * The API server stores some fields as the bytes that were sent, such as `data` of a ControllerRevision, and compares bytes to
 * detect changes of immutable fields. It re-encodes an object before it applies a patch. With an unescaped `&` in the first request,
 * it would reject each later patch of the object with 422 "field is immutable".
 * @see https://pkg.go.dev/encoding/json#HTMLEscape
 */
export function jsonBody(value: unknown): string {
  return JSON.stringify(value).replace(/[&<>\u2028\u2029]/g, (character) => ESCAPES[character] ?? character);
}
