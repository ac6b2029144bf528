import { describe, expect, test } from 'vitest';
import { builtInFiles, options } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { detectorSchema } from '../model/detector.ts';
import { type DetectorOptions, type DetectorsOptions, detectorOptions } from '../model/detector-options.ts';
import { detect } from './detect.ts';
import { type Customisation, type DetectorFile, rulesFromFiles } from './parse.ts';
import type { Rules } from './rules.ts';

const vocabulary = builtInFiles.filter(({ name }) => name === 'vocabulary.yaml');

const example = {
  type: 'example',
  title: 'Example',
  description: 'An example',
  names: ['example'],
  ports: { numbers: [1234] },
  holmes: { none: 'it is an example' },
};
const set = (type: string, change: Partial<DetectorOptions>): DetectorsOptions => ({
  [type]: detectorOptions.parse(change),
});
const file = (content: unknown, name = 'example.yaml'): DetectorFile => ({ name, content });
const failure = (...files: DetectorFile[]): string => {
  try {
    rulesFromFiles(files);
  } catch (error) {
    return (error as Error).message;
  }
  return 'it did not throw';
};

describe('rulesFromFiles', () => {
  test('takes the files that come with the program', () => {
    const { byType } = rulesFromFiles(builtInFiles).rules;
    for (const type of ['prometheus', 'grafana', 'jaeger', 'elasticsearch', 'custom', 'loki', 'tempo'])
      expect(byType.get(type)?.detector.title).toBeTruthy();
  });

  test('a new kind of backend is one file', () => {
    const { rules } = rulesFromFiles([...vocabulary, file(example)]);
    const { candidates } = detect([service('my-example', { ports: [1234] })], rules, options);
    expect(candidates.map(({ type, kind }) => [type, kind])).toEqual([['example', 'An example']]);
  });

  test.each<[string, object, string[]]>([
    ['a key that is none', { port: {} }, ['port']],
    ['a key that is none, deep', { ports: { number: [1] } }, ['number', 'ports']],
    ['a missing title', { title: undefined }, ['title']],
    ['a type with upper case', { type: 'Example' }, ['type', 'lower-case']],
    ['a certainty that is none', { signals: [{ certainty: 'sure', name: 'x' }] }, ['signals[0].certainty']],
    ['a signal without a condition', { signals: [{ certainty: 'label' }] }, ['signals[0]', 'condition']],
    ['an exclusion without a reason', { exclude: [{ name: 'x' }] }, ['exclude[0].why']],
    ['a port that is none', { ports: { numbers: [1, 70_000] } }, ['ports.numbers[1]']],
    ['a path that is none', { paths: [{ path: 'api' }] }, ['paths[0].path']],
    ['an entry for the agent that is none', { holmes: {} }, ['holmes']],
    [
      'a label that must be an empty text',
      { signals: [{ certainty: 'label', labels: { app: '' } }] },
      ['labels.app'],
    ],
  ])('a broken file: %s', (_, change, places) => {
    const message = failure(...vocabulary, file({ ...example, ...change }));
    for (const part of ['example.yaml', ...places]) expect(message).toContain(part);
  });

  test.each([
    ['empty', null],
    ['a text', 'type: example'],
    ['a list', [example]],
  ])('a file that is %s', (_, content) => {
    expect(failure(...vocabulary, file(content))).toContain('example.yaml');
  });

  test('names the one broken file among several', () => {
    const message = failure(...vocabulary, file(example), file({ ...example, type: 7 }, 'other.yaml'));
    expect(message).toContain('other.yaml');
    expect(message).not.toContain('example.yaml');
  });

  test.each([
    ['roles', { roles: { wizard: ['merlin'] } }],
    ['accepts', { accepts: ['wizard'] }],
  ])('a role in %s that the vocabulary does not have is told, with those that it has', (_, change) => {
    const message = failure(...vocabulary, file({ ...example, ...change }));
    for (const part of ['example', 'wizard', 'gateway']) expect(message).toContain(part);
  });

  test('a role of a detector decides for it only', () => {
    const other = { ...example, type: 'other', names: ['other'], roles: { write: ['quill'] } };
    const { rules } = rulesFromFiles([...vocabulary, file(example), file(other)]);
    const services = ['example-quill', 'other-quill'].map((name) =>
      service(name, { labels: { app: name.split('-')[0] ?? '' }, ports: [1234] }),
    );
    const { candidates } = detect(services, rules, options);
    expect(candidates.map(({ service }) => service.name)).toEqual(['example-quill']);
  });

  test('a missing or broken vocabulary is told', () => {
    expect(failure(file(example))).toContain('vocabulary.yaml');
    expect(failure(file({ neutral: 1 }, 'vocabulary.yaml'))).toMatch(/vocabulary\.yaml[\s\S]*neutral/);
  });
});

describe('what users add and set', () => {
  const added = (name: string, change: object = {}) => ({
    name,
    detector: detectorSchema.parse({ ...example, ...change }),
  });
  const custom = (change: Partial<Customisation>): Customisation => ({
    added: [],
    options: {},
    disabled: [],
    ...change,
  });
  const ruled = (change: Partial<Customisation>) => rulesFromFiles(builtInFiles, custom(change));
  const prometheus = service('p', { labels: { app: 'prometheus' }, ports: [9090] });
  const typesIn = (rules: Rules): string[] =>
    detect([prometheus], rules, options).candidates.map(({ type }) => type);

  test('a detector of their own finds its backends beside ours', () => {
    const { rules, problems } = ruled({ added: [added('mine/example.yaml')] });
    const found = detect([prometheus, service('example', { ports: [1234] })], rules, options).candidates;
    expect(found.map(({ type }) => type).sort()).toEqual(['example', 'prometheus']);
    expect(problems).toEqual([]);
  });

  test('one of a type that we have takes the place of ours', () => {
    const { rules, problems } = ruled({
      added: [added('mine/p.yaml', { type: 'prometheus', title: 'Mine' })],
    });
    expect(rules.byType.get('prometheus')?.detector.title).toBe('Mine');
    expect(typesIn(rules)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('one with a role that is none is passed over and told, and ours still work', () => {
    const { rules, problems } = ruled({ added: [added('mine/p.yaml', { roles: { wizard: ['merlin'] } })] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ where: 'mine/p.yaml', what: expect.stringContaining('wizard') });
    expect(rules.byType.has('example')).toBe(false);
    expect(typesIn(rules)).toEqual(['prometheus']);
  });

  test('of two with one type the first counts, and the second is told', () => {
    const { rules, problems } = ruled({
      added: [added('mine/a.yaml', { title: 'First' }), added('mine/b.yaml', { title: 'Second' })],
    });
    expect(rules.byType.get('example')?.detector.title).toBe('First');
    expect(problems.map(({ where }) => where)).toEqual(['mine/b.yaml']);
    expect(problems[0]?.what).toContain('mine/a.yaml');
  });

  test('a detector that is switched off finds nothing', () => {
    expect(typesIn(ruled({ options: set('prometheus', { enabled: false }) }).rules)).toEqual([]);
    expect(typesIn(ruled({ options: set('grafana', { enabled: false }) }).rules)).toEqual(['prometheus']);
  });

  test('a type that is switched off by name is off, and one that there is not is no fault', () => {
    const { rules, problems } = ruled({ disabled: ['prometheus', 'abacus'] });
    expect(typesIn(rules)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('options for a type that there is not are told, with those that there are', () => {
    const { problems } = ruled({ options: set('promethus', { enabled: false }) });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      where: expect.stringContaining('promethus'),
      what: expect.stringContaining('prometheus'),
    });
  });

  test.each<[string, Partial<DetectorOptions>, boolean]>([
    ['namespaces that hold it', { namespaces: ['mon*'] }, true],
    ['other namespaces', { namespaces: ['default', 'kube-*'] }, false],
    ['its namespace left out', { excludeNamespaces: ['monitoring'] }, false],
    ['another namespace left out', { excludeNamespaces: ['default'] }, true],
    ['an annotation that it has', { requiredAnnotations: { team: '*' } }, true],
    ['an annotation with another value', { requiredAnnotations: { team: 'b' } }, false],
    ['all of two annotations', { requiredAnnotations: { team: 'a', more: '*' } }, false],
    ['any of two annotations', { requiredAnnotations: { team: 'a', more: '*' }, require: 'any' }, true],
  ])('a detector may be kept to %s', (_, change, finds) => {
    const { rules } = ruled({ options: set('prometheus', change) });
    const { candidates } = detect([{ ...prometheus, annotations: { team: 'a' } }], rules, options);
    expect(candidates.map(({ type }) => type)).toEqual(finds ? ['prometheus'] : []);
  });

  test('where several claim a Service, the one with the higher priority gets it', () => {
    const both = service('b', {
      labels: { app: 'prometheus', 'app.kubernetes.io/name': 'loki' },
      ports: ['http:80'],
    });
    const winner = (change: Partial<Customisation>): string | undefined =>
      detect([both], ruled(change).rules, options).candidates[0]?.type;
    expect(winner({})).toBe('loki');
    expect(winner({ options: set('prometheus', { priority: 1 }) })).toBe('prometheus');
    expect(winner({ options: set('loki', { priority: -1 }) })).toBe('prometheus');
  });
});
