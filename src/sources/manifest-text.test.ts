import { describe, expect, test } from 'vitest';
import { parseManifest } from './manifest-text.ts';

const service = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\n${more}spec:\n  ports:\n    - port: 80\n`;
const object = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: 80 }] },
});

const parsed = (text: string) => parseManifest(text, 'all.yaml', 'default');
const names = (text: string): string[] => parsed(text).services.map(({ service }) => service.name);

describe('Services are found in', () => {
  test.each<[string, string, string[]]>([
    ['one document', service('a'), ['a']],
    ['several documents', `${service('a')}---\n${service('b')}---\n${service('c')}`, ['a', 'b', 'c']],
    ['markers at beginning and end', `---\n${service('a')}---\n`, ['a']],
    ['empty documents and comments between', `# one\n---\n---\n# two\n---\n${service('a')}`, ['a']],
    [
      'helm template',
      `---\n# Source: chart/templates/a.yaml\n${service('a')}---\n# Source: b\n${service('b')}`,
      ['a', 'b'],
    ],
    ['text after the marker', `--- # first\n${service('a')}---\t# second\n${service('b')}`, ['a', 'b']],
    [
      'a document on the line of its marker',
      `--- ${JSON.stringify(object('a'))}\n--- ${JSON.stringify(object('b'))}`,
      ['a', 'b'],
    ],
    ['end markers', `${service('a')}...\n---\n${service('b')}...\n`, ['a', 'b']],
    ['a marker without a line break at its end', `${service('a')}---`, ['a']],
    [
      'dashes that are no marker',
      service('a', '  annotations:\n    note: |\n      ---\n      x\n      ----\n'),
      ['a'],
    ],
    ['a byte order mark', `\uFEFF${service('a')}`, ['a']],
    ['Windows line ends', `${service('a')}---\n${service('b')}`.replaceAll('\n', '\r\n'), ['a', 'b']],
    ['JSON', JSON.stringify(object('a')), ['a']],
    ['JSON with a byte order mark, indented', `\uFEFF\n${JSON.stringify(object('a'), null, 2)}\n`, ['a']],
    ['a JSON array', JSON.stringify([object('a'), object('b')]), ['a', 'b']],
    [
      'JSON documents with markers between',
      `${JSON.stringify(object('a'))}\n---\n${JSON.stringify(object('b'))}`,
      ['a', 'b'],
    ],
    ['YAML that begins like JSON', '{apiVersion: v1, kind: Service, metadata: {name: a}}', ['a']],
    [
      'a List in JSON',
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [object('a'), object('b')] }),
      ['a', 'b'],
    ],
    [
      'a List in YAML, with other kinds in it',
      `apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: Secret, metadata: {name: s}}\n  - {apiVersion: v1, kind: Service, metadata: {name: a}}\n`,
      ['a'],
    ],
    [
      'a List in a List',
      JSON.stringify({ kind: 'List', items: [{ kind: 'List', items: [object('a')] }, object('b')] }),
      ['a', 'b'],
    ],
    [
      'a ServiceList whose items name no kind',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'ServiceList',
        items: [{ metadata: { name: 'a' } }, object('b')],
      }),
      ['a', 'b'],
    ],
    [
      'a list of another kind whose items name none',
      JSON.stringify({ kind: 'PodList', items: [{ metadata: { name: 'a' } }] }),
      [],
    ],
    [
      'an invalid List',
      JSON.stringify([{ kind: 'List', items: {} }, { kind: 'List' }, { kind: 7, items: [object('a')] }]),
      [],
    ],
    ['items of another kind', JSON.stringify({ kind: 'Chart', items: [object('a')] }), []],
    ['other kinds', `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n${service('b')}`, ['b']],
    ['the Service of another API', service('a').replace('v1', 'serving.knative.dev/v1'), []],
    [
      'a Service that another kind holds',
      `apiVersion: v1\nkind: ConfigMap\nspec:\n  kind: Service\n  apiVersion: v1\n`,
      [],
    ],
    ['nothing', '', []],
    ['comments only', '# nothing\n\n---\n# here\n', []],
    [
      'documents that are no objects',
      `null\n---\n~\n---\ntext\n---\n42\n---\n[1, null, text]\n---\n${service('a')}`,
      ['a'],
    ],
  ])('%s', (_, text, expected) => {
    expect(names(text)).toEqual(expected);
    expect(parsed(text).problems).toEqual([]);
  });

  test('a manifest of 10,000 lines and more is read', () => {
    const text = Array.from({ length: 1_500 }, (_, index) => service(`a-${index}`)).join('---\n');
    expect(text.split('\n').length).toBeGreaterThan(10_000);
    const { services, problems } = parsed(text);
    expect(services).toHaveLength(1_500);
    expect(problems).toEqual([]);
    expect(services.at(-1)?.service.name).toBe('a-1499');
    expect(services.at(-1)?.where).toMatch(/^all\.yaml:1199[23]$/);
  });
});

describe('a broken document', () => {
  test.each<[string, string, string[], string[]]>([
    ['alone', 'kind: Service\nmetadata: name: a\n', [], ['all.yaml:2']],
    [
      'between good ones',
      `${service('a')}---\nx: 1\ny: z: 1\n---\n${service('b')}`,
      ['a', 'b'],
      ['all.yaml:10'],
    ],
    [
      'with Windows line ends',
      `${service('a')}---\nx: 1\ny: z: 1\n---\n${service('b')}`.replaceAll('\n', '\r\n'),
      ['a', 'b'],
      ['all.yaml:10'],
    ],
    ['after comments', `# one\n# two\n\n--- # three\n# four\ny: z: 1\n`, [], ['all.yaml:6']],
    ['tabs', `${service('a')}---\nkind: Service\nmetadata:\n\tname: b\n`, ['a'], ['all.yaml:11']],
    ['the same key twice', 'kind: Service\nmetadata:\n  name: a\n  name: b\n', [], ['all.yaml:4']],
    ['a template that was not rendered', `kind: {{ .Kind }}\n---\n${service('a')}`, ['a'], ['all.yaml:1']],
    ['nested without end', `${'['.repeat(50_000)}\n---\n${service('a')}`, ['a'], ['all.yaml:1']],
    ['JSON with a fault', '{\n  "kind": "Service",\n  "x" "y"\n}', [], ['all.yaml:3']],
    ['a binary file', 'PK\u0003\u0004\u0000\u0000', [], ['all.yaml:1']],
    ['two of them', `x: y: z\n---\n${service('a')}---\nx: y: z\n`, ['a'], ['all.yaml:1', 'all.yaml:11']],
  ])('%s is reported with its line, and the others count', (_, text, expected, places) => {
    const { services, problems } = parsed(text);
    expect(services.map(({ service }) => service.name)).toEqual(expected);
    expect(problems.map(({ where }) => where)).toEqual(places);
    for (const { what, fix } of problems) {
      expect(what).toContain('broken YAML');
      expect(fix).toBeTruthy();
    }
  });

  test('a malformed Service is reported with its place, and the others count', () => {
    const { services, problems } = parsed(`${service('a')}---\n${service('B')}---\n${service('c')}`);
    expect(services.map(({ service }) => service.name)).toEqual(['a', 'c']);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.where).toMatch(/^all\.yaml:[89]$/);
    expect(problems[0]?.what).toContain('"B"');
  });
});

test('a document with more than 100 aliases is rejected, since each may repeat everything before it', () => {
  const aliases = (many: number): string => `x: &a 1\ny: [${'*a,'.repeat(many)}]\n`;
  expect(parseManifest(aliases(100), 'f', 'd').broken).toBe(false);
  const { broken, problems } = parseManifest(aliases(101), 'f', 'd');
  expect([broken, problems[0]?.what]).toEqual([true, expect.stringContaining('aliases exceeded')]);
});

test('of very many broken documents in a file, 50 are reported, and the rest is not read', () => {
  const { problems, broken } = parseManifest('---\na: [\n'.repeat(1_000), 'f', 'd');
  expect([broken, problems.length]).toEqual([true, 51]);
  expect(problems.at(-1)?.what).toBe('50 documents are broken, so the rest of the file is not read');
});
