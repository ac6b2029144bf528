import type { ScalarTag, Tags } from 'yaml';

/** The patterns of PyYAML 6.0.4, in `lib/yaml/resolver.py`, without `.inf` and `.nan`, for which the library has the same. */
const INT =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$/;

/** The number that a scalar of these patterns is, as in PyYAML's `constructor.py`. NaN where that fails, as for `0x_`. */
function numberOf(source: string): number {
  const digits = source.replaceAll('_', '').replace(/^[-+]/, '');
  const value = /^0[0-7]*$/.test(digits)
    ? Number(`0o${digits}`)
    : digits
        .split(':')
        .reduceRight((sum, part, index, { length }) => sum + Number(part) * 60 ** (length - 1 - index), 0);
  return source.startsWith('-') ? 0 - value : value;
}

const isNumber = (source: string): boolean => INT.test(source) || FLOAT.test(source);

/** Writes a number so that PyYAML reads it as one: with an exponent, it must have a dot. */
export const numberText = (value: unknown): string => String(value).replace(/^(-?\d+)e/, '$1.0e');

const numberTag = (name: string, test: RegExp, identify: (value: unknown) => boolean): ScalarTag => ({
  tag: `tag:yaml.org,2002:${name}`,
  default: true,
  identify,
  test,
  resolve: numberOf,
  stringify: ({ source, value }) =>
    source !== undefined && isNumber(source) && numberOf(source) === value ? source : numberText(value),
});

/** `!!float 1` and `!!float 1e3`, which are no floats without the tag. */
const TAGGED_FLOAT: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  resolve: (source, onError) => {
    const value = numberOf(source);
    if (Number.isNaN(value)) onError('not a float');
    return value;
  },
};

/**
 * A key is the text that is written, be it `n`, `08`, `on` or `1`. The last two are no texts in PyYAML, and HolmesGPT then
 * rejects the entry, because its fields, headers and names are texts.
 */
const KEY: ScalarTag = {
  tag: 'tag:yaml.org,2002:str',
  default: 'key',
  test: /^(?!<<$)/,
  resolve: (source) => source,
};

/** PyYAML has types for these, and no values. It refuses the whole text. */
const NO_VALUE: ScalarTag = {
  tag: 'tag:yaml.org,2002:value',
  default: true,
  test: /^(?:=|<<)$/,
  resolve: (_, onError) => onError('= or << as a value'),
};

const NUMBERS: Tags = [
  numberTag('int', INT, Number.isInteger),
  numberTag('float', FLOAT, (value) => typeof value === 'number'),
  TAGGED_FLOAT,
];

/**
 * The tags with which a plain scalar is what PyYAML's `safe_load` makes of it, which HolmesGPT uses. The library's YAML 1.1
 * takes `y`, `1e3`, `08`, `0:30` and `-.5` for other types than texts. Keys are always texts.
 * @param tags those of the library's YAML 1.1
 */
export function pyYamlTags(tags: Tags): Tags {
  const others = tags.flatMap((tag): Tags => {
    if (typeof tag !== 'object') return [tag];
    // The library parses these in quadratic time.
    if (/:(omap|pairs|set)$/.test(tag.tag)) return [];
    if (!('test' in tag) || tag.test === undefined) return [tag];
    if (/:(int|float)$/.test(tag.tag) && !tag.test.test('.nan')) return [];
    if (!tag.tag.endsWith(':bool')) return [tag];
    return [{ ...(tag as ScalarTag), test: new RegExp(`^(?![YyNn]$)(?:${tag.test.source})`) }];
  });
  return [KEY, ...NUMBERS, ...others, NO_VALUE];
}
