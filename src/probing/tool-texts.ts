import type { Mapping } from '../model/mapping.ts';

/** Spaces per level of a JSON text. */
const INDENT = 2;

/** A field of a tool that is not a text: its name and its JSON, in several lines. Empty if the tool does not have it. */
const jsonOf = (name: string, value: unknown): string =>
  value === undefined ? '' : `${name} ${JSON.stringify(value, undefined, INDENT)}`;

/**
 * The texts with which a server describes a tool, to a person or to a model: everything that its digest covers. They are
 * untrusted, and have line breaks. A name can be anywhere in a schema, and a model reads all of it, so no part is left out.
 * @param tool an entry of `tools/list`, nested at most as deep as `toolOf` accepts
 * @param isNameKnown whether the name is shown with it
 */
export function toolTexts(tool: Mapping, isNameKnown: boolean): string[] {
  const { name, title, description, inputSchema, outputSchema, annotations } = tool;
  const own = [isNameKnown ? undefined : name, title, description].map((each) =>
    typeof each === 'string' ? each : jsonOf('description', each),
  );
  return [
    ...own,
    jsonOf('parameters', inputSchema),
    jsonOf('output', outputSchema),
    jsonOf('annotations', annotations),
  ].filter((text) => text !== '');
}
