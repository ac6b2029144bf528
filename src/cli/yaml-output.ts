import { Document, isScalar, visit } from 'yaml';
import { escapedYaml, hasUnseen } from '../model/visible.ts';

/**
 * A value as YAML for people and programs: no line is folded, nothing is said by an alias, and characters that could steer
 * a terminal are escapes.
 */
export function yamlText(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (isScalar<unknown>(node) && typeof node.value === 'string' && hasUnseen(node.value))
        node.type = 'QUOTE_DOUBLE';
    },
  });
  return escapedYaml(document.toString({ lineWidth: 0 }));
}
