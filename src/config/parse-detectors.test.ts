import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError } from '../model/errors.ts';
import { type DetectorFile, parseDetectors } from './parse-detectors.ts';

const NAME = 'vocabulary.yaml';
const vocabulary: DetectorFile = {
  name: NAME,
  text: readFileSync(join(import.meta.dirname, '../../detectors', NAME), 'utf8'),
};

const example = {
  type: 'example',
  title: 'Example',
  description: 'An example',
  names: ['example'],
  ports: { numbers: [1234] },
  outputs: { holmesgpt: { none: 'it is an example' } },
};
const file = (content: unknown, name = 'example.yaml'): DetectorFile => ({
  name,
  text: JSON.stringify(content),
});
const failure = (...files: DetectorFile[]): string => {
  try {
    parseDetectors(files);
  } catch (error) {
    return (error as Error).message;
  }
  return 'it did not throw';
};

describe('parseDetectors', () => {
  test.each<[string, object, string[]]>([
    ['an unknown key', { port: {} }, ['port']],
    ['an unknown nested key', { ports: { number: [1] } }, ['number', 'ports']],
    ['a missing title', { title: undefined }, ['title']],
    ['a type with upper case', { type: 'Example' }, ['type', 'lower-case']],
    ['an unknown certainty', { signals: [{ certainty: 'sure', name: 'x' }] }, ['signals.0.certainty']],
    ['a signal without a condition', { signals: [{ certainty: 'label' }] }, ['signals.0', 'condition']],
    ['an exclusion without a reason', { exclude: [{ name: 'x' }] }, ['exclude.0.why']],
    ['an invalid port', { ports: { numbers: [1, 70_000] } }, ['ports.numbers.1']],
    ['an invalid path', { paths: [{ path: 'api' }] }, ['paths.0.path']],
    ['an invalid entry for the agent', { outputs: { holmesgpt: {} } }, ['outputs.holmesgpt']],
    ['an entry for an unknown agent', { outputs: { holmes: {} } }, ['outputs', 'holmes']],
    ['an entry under its former key too', { holmes: { none: 'x' } }, ['holmes', 'outputs.holmesgpt']],
    [
      'a label that must be an empty text',
      { signals: [{ certainty: 'label', labels: { app: '' } }] },
      ['labels.app'],
    ],
  ])('a broken file: %s', (_, change, places) => {
    const message = failure(vocabulary, file({ ...example, ...change }));
    for (const part of ['example.yaml', ...places]) expect(message).toContain(part);
  });

  test.each([
    ['empty', null],
    ['a text', 'type: example'],
    ['a list', [example]],
  ])('a file that is %s', (_, content) => {
    expect(failure(vocabulary, file(content))).toContain('example.yaml');
  });

  test('a fault is one of the user, with file, line and column, as validate reports it', () => {
    const text = 'type: example\ntitle: Example\ndescription: An example\nports: { numbers: [x] }\n';
    const parsing = () => parseDetectors([vocabulary, { name: 'example.yaml', text }]);
    expect(parsing).toThrow(ConfigError);
    expect(parsing).toThrow(/^detectors\/example\.yaml:4:20: ports\.numbers\.0: [^\n]+$/);
  });

  test('names the one broken file among several', () => {
    const message = failure(vocabulary, file(example), file({ ...example, type: 7 }, 'other.yaml'));
    expect(message).toContain('other.yaml');
    expect(message).not.toContain('example.yaml');
  });

  test('reports a missing or broken vocabulary', () => {
    expect(failure(file(example))).toContain('vocabulary.yaml');
    expect(failure(file({ neutral: 1 }, 'vocabulary.yaml'))).toMatch(/vocabulary\.yaml[\s\S]*neutral/);
  });

  test('accepts an entry under its former key as the one of its output', () => {
    const { outputs, ...rest } = example;
    const { detectors } = parseDetectors([vocabulary, file({ ...rest, holmes: outputs.holmesgpt })]);
    expect(detectors).toEqual(parseDetectors([vocabulary, file(example)]).detectors);
    expect(detectors).toMatchObject([{ outputs: { holmesgpt: { none: 'it is an example' } }, mcp: false }]);
  });

  test.each([
    ['an output that connects to it as to one', { outputs: { holmesgpt: { mcp: {} } } }],
    ['the same under its former key', { outputs: {}, holmes: { mcp: {} } }],
    ['the protocol of its probe, without any output', { outputs: {}, probe: { protocol: 'mcp' } }],
  ])('recognizes an MCP server: %s', (_, change) => {
    const { detectors } = parseDetectors([vocabulary, file({ ...example, ...change })]);
    expect(detectors).toMatchObject([{ mcp: true }]);
  });

  test('the later detector of a type replaces the earlier one', () => {
    const { detectors } = parseDetectors([vocabulary, file(example), file({ ...example, title: 'Mine' })]);
    expect(detectors.map(({ title }) => title)).toEqual(['Mine']);
  });
});
