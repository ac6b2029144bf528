import { load, YAML11_SCHEMA } from 'js-yaml';
import { Document, isScalar, visit } from 'yaml';
import { escapedYaml, hasInvisible } from '../../model/visible.ts';

/** The serializer may write a text that begins with white space so that it does not read back. */
const BEGINS_BLANK = /^\s/;
/**
 * Serializes a document as YAML 1.1 for PyYAML, which HolmesGPT uses: `no` and `1:30` stay strings. Another, faster library
 * parses the result for comparison.
 * @throws Error if it does not read back as the document, which is a bug
 */
export function holmesText(document: unknown): string {
  const tree = new Document(document, { compat: 'yaml-1.1', aliasDuplicateObjects: false });
  visit(tree, {
    Scalar(_, node) {
      if (!isScalar<unknown>(node) || typeof node.value !== 'string') return;
      const { value } = node;
      if (value === '=' || BEGINS_BLANK.test(value) || value.includes('\t') || hasInvisible(value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  // PyYAML reads some of these characters as line breaks and rejects others.
  const text = escapedYaml(tree.toString({ lineWidth: 0 }));
  if (JSON.stringify(load(text, { schema: YAML11_SCHEMA })) !== JSON.stringify(document))
    throw new Error('custom_toolset.yaml does not read back as it was meant');
  return text;
}
