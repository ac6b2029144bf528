const [QUOTE, BACKSLASH, COMMA, BRACKET, BRACE] = [34, 92, 44, 91, 123];

/**
 * The values and keys in a JSON text, at most twice as many as there are: each costs time to parse and compare, however few
 * bytes it has. Linear, and much faster than parsing. Counts in texts that are not JSON, too.
 */
export function valuesIn(json: string): number {
  let count = 1;
  let isInText = false;
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index);
    if (isInText) {
      if (code === BACKSLASH) index++;
      else if (code === QUOTE) isInText = false;
    } else if (code === QUOTE) isInText = true;
    else if (code === COMMA || code === BRACKET || code === BRACE) count++;
  }
  return count;
}
