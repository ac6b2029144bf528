import { load, YAML11_SCHEMA } from 'js-yaml';
import { Document, isScalar, visit } from 'yaml';

/** A text that begins with white space may be written in a way that its own library reads as another. */
const BEGINS_BLANK = /^\s/;
/** What PyYAML reads plain as it stands; it takes U+0085, U+2028 and U+2029 for line breaks and refuses U+007F. */
const PLAIN =
  /^[\n\x20-\x7e\u{a0}-\u{2027}\u{202a}-\u{d7ff}\u{e000}-\u{fefe}\u{ff00}-\u{fffd}\u{10000}-\u{10ffff}]*$/u;
const TO_ESCAPE = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * A document as YAML that HolmesGPT, which reads YAML 1.1 by PyYAML, reads as it was meant: `no` and `1:30` stay texts.
 * It is read back by another library than the one that wrote it, which is also the faster of the two.
 * @throws Error if it reads back as something else, which is a bug
 */
export function holmesText(document: unknown): string {
  const tree = new Document(document, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
  visit(tree, {
    Scalar(_, node) {
      if (!isScalar<unknown>(node) || typeof node.value !== 'string') return;
      const { value } = node;
      if (value === '=' || BEGINS_BLANK.test(value) || !PLAIN.test(value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  const text = tree
    .toString({ lineWidth: 0 })
    // Such a character stands in double quotes only, so the escape is read as the character.
    .replace(TO_ESCAPE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (JSON.stringify(load(text, { schema: YAML11_SCHEMA })) !== JSON.stringify(document))
    throw new Error('custom_toolset.yaml does not read back as it was meant');
  return text;
}
