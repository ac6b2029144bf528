import { stringify } from 'yaml';

/** A value as YAML for people and programs: no line is folded, and nothing is said by an alias. */
export function yamlText(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
}
