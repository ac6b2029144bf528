import { load, YAML11_SCHEMA } from 'js-yaml';
import { Document, isScalar, visit } from 'yaml';
import { escapedYaml, hasInvisible } from '../../model/visible.ts';

/** A text that begins with white space may be written in a way that its own library reads as another. */
const BEGINS_BLANK = /^\s/;
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
      if (value === '=' || BEGINS_BLANK.test(value) || value.includes('\t') || hasInvisible(value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  // PyYAML takes some of these for line breaks and refuses others.
  const text = escapedYaml(tree.toString({ lineWidth: 0 }));
  if (JSON.stringify(load(text, { schema: YAML11_SCHEMA })) !== JSON.stringify(document))
    throw new Error('custom_toolset.yaml does not read back as it was meant');
  return text;
}
