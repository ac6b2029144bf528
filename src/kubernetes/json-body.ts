const ESCAPES: Readonly<Record<string, string>> = {
  '&': '\\u0026',
  '<': '\\u003c',
  '>': '\\u003e',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

/**
 * A request body in the JSON that the API server writes itself: Go's encoder escapes these five characters.
 *
 * The API server keeps some fields as the bytes that were sent, such as `data` of a ControllerRevision, and compares
 * bytes to tell whether an immutable field changed. It encodes an object anew before it applies a patch. With a plain
 * `&` in the first request, each later patch of the object would be refused with 422 "field is immutable".
 * @see https://pkg.go.dev/encoding/json#HTMLEscape
 */
export function jsonBody(value: unknown): string {
  return JSON.stringify(value).replace(/[&<>\u2028\u2029]/g, (character) => ESCAPES[character] ?? character);
}
