import { isMapping, type Mapping } from '../model/mapping.ts';
import { quoted } from '../model/text.ts';

/** Maximum length of a parameter's name in a path, in characters. */
const MAX_NAME = 128;

/** The usual values of keywords of a JSON Schema, which say nothing to a model, such as `string` and `date-time`. */
const USUAL_VALUES: Readonly<Record<string, RegExp | undefined>> = {
  type: /^[a-z]{1,20}$/,
  format: /^[a-z][a-z0-9-]{0,30}$/,
  $schema: /^https?:\/\/json-schema\.org\/[a-z0-9/-]{1,40}#?$/,
};

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? '');

/**
 * The texts of a JSON Schema, each with the path of its parameter. Texts can be anywhere in it, not only in descriptions,
 * and a model reads all of it.
 */
function* schemaTexts(schema: Mapping, path: string): Generator<string> {
  for (const [key, value] of Object.entries(schema)) {
    const where = key === 'description' ? path : [path, quoted(key, MAX_NAME)].filter(Boolean).join(' ');
    if (key === 'properties' && isMapping(value)) yield* parameterTexts(value, path);
    else if (isMapping(value)) yield* schemaTexts(value, where);
    else if (Array.isArray(value) && value.some(isMapping))
      for (const each of value)
        yield* isMapping(each) ? schemaTexts(each, where) : [`${where}: ${textOf(each)}`];
    else if (Array.isArray(value)) yield `${where}: ${value.map(textOf).join(', ')}`;
    else if (typeof value === 'string' && USUAL_VALUES[key]?.test(value) !== true) yield `${where}: ${value}`;
  }
}

/** The texts of parameters. One without any text is named, too. */
function* parameterTexts(parameters: Mapping, path: string): Generator<string> {
  for (const [name, schema] of Object.entries(parameters)) {
    const where = [path, quoted(name, MAX_NAME)].filter(Boolean).join('.');
    const texts = isMapping(schema) ? [...schemaTexts(schema, where)] : [`${where}: ${textOf(schema)}`];
    yield* texts.length === 0 ? [`${where}:`] : texts;
  }
}

/**
 * The texts with which a server describes a tool to a model: title, description, and those of the parameters. All of them
 * are untrusted, and may have line breaks.
 * @param tool an entry of `tools/list`, nested at most as deep as `toolOf` accepts
 */
export function toolTexts({ title, description, inputSchema, annotations }: Mapping): string[] {
  const shown = isMapping(annotations) ? annotations.title : undefined;
  const own = [title, shown, description].filter((each) => typeof each === 'string' && each !== '');
  return [...own.map(textOf), ...(isMapping(inputSchema) ? schemaTexts(inputSchema, 'parameters') : [])];
}
