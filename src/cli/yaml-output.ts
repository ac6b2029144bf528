import { Document, isScalar, visit } from 'yaml';
import { escapedYaml, hasInvisible } from '../model/visible.ts';

/** Formats a value as YAML without folded lines and aliases, and with control characters escaped. */
export function yamlText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (isScalar<unknown>(node) && typeof node.value === 'string' && hasInvisible(node.value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return escapedYaml(document.toString({ lineWidth: 0 }));
}
