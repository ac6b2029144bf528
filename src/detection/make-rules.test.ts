import { describe, expect, test } from 'vitest';
import { builtIn, options } from '../../test/fixtures/unit/detection.ts';
import { keyFor, offered, service } from '../../test/fixtures/unit/service.ts';
import { type DetectorOptions, type DetectorsOptions, detectorOptions } from '../model/detector-options.ts';
import { detectorSchema } from '../outputs/detector-schema.ts';
import { detect } from './detect.ts';
import { explain } from './explain.ts';
import { type Customisation, makeRules } from './make-rules.ts';
import { DEFAULT_OPTIONS, type Rules } from './rules.ts';

const example = {
  type: 'example',
  title: 'Example',
  description: 'An example',
  names: ['example'],
  ports: { numbers: [1234] },
};
const set = (type: string, change: Partial<DetectorOptions>): DetectorsOptions => ({
  [type]: detectorOptions.parse(change),
});
/** Rules of detectors that come with the program, if it came with these. */
const rulesOf = (...contents: object[]): Rules =>
  makeRules({
    vocabulary: builtIn.vocabulary,
    detectors: contents.map((content) => detectorSchema.parse(content)),
  }).rules;

describe('makeRules', () => {
  test('accepts the detectors that come with the program', () => {
    const { byType } = makeRules(builtIn).rules;
    for (const type of ['prometheus', 'grafana', 'jaeger', 'elasticsearch', 'custom', 'loki', 'tempo'])
      expect(byType.get(type)?.detector.title).toBeTruthy();
  });

  test('a new kind of backend is one file', () => {
    const rules = rulesOf(example);
    const { candidates } = detect([service('my-example', { ports: [1234] })], rules, options);
    expect(candidates.map(({ type, kind }) => [type, kind])).toEqual([['example', 'An example']]);
  });

  test.each([
    ['roles', { roles: { wizard: ['merlin'] } }],
    ['accepts', { accepts: ['wizard'] }],
  ])('a role in %s that the vocabulary lacks is reported, with the known ones', (_, change) => {
    for (const part of ['example', 'wizard', 'gateway'])
      expect(() => rulesOf({ ...example, ...change })).toThrow(part);
  });

  test('a role of a detector applies to that detector only', () => {
    const other = { ...example, type: 'other', names: ['other'], roles: { write: ['quill'] } };
    const rules = rulesOf(example, other);
    const services = ['example-quill', 'other-quill'].map((name) =>
      service(name, { labels: { app: name.split('-')[0] ?? '' }, ports: [1234] }),
    );
    const { candidates } = detect(services, rules, options);
    expect(candidates.map(({ service }) => service.name)).toEqual(['example-quill']);
  });
});

test('options without a value have the defaults of their schema', () => {
  expect(DEFAULT_OPTIONS).toEqual(detectorOptions.parse({}));
});

describe('detectors and options of operators', () => {
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
  const ruled = (change: Partial<Customisation>) => makeRules(builtIn, custom(change));
  const prometheus = service('p', { labels: { app: 'prometheus' }, ports: [9090] });
  const typesIn = (rules: Rules): string[] =>
    detect([prometheus], rules, options).candidates.map(({ type }) => type);

  test('a custom detector finds its backends in addition to the built-in ones', () => {
    const { rules, problems } = ruled({ added: [added('mine/example.yaml')] });
    const found = detect([prometheus, service('example', { ports: [1234] })], rules, options).candidates;
    expect(found.map(({ type }) => type).sort()).toEqual(['example', 'prometheus']);
    expect(problems).toEqual([]);
  });

  test('a custom detector of a built-in type replaces the built-in one', () => {
    const { rules, problems } = ruled({
      added: [added('mine/p.yaml', { type: 'prometheus', title: 'Mine' })],
    });
    expect(rules.byType.get('prometheus')?.detector.title).toBe('Mine');
    expect(typesIn(rules)).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('a custom detector with an unknown role is skipped and reported, and the built-in ones still work', () => {
    const { rules, problems } = ruled({ added: [added('mine/p.yaml', { roles: { wizard: ['merlin'] } })] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ where: 'mine/p.yaml', what: expect.stringContaining('wizard') });
    expect(rules.byType.has('example')).toBe(false);
    expect(typesIn(rules)).toEqual(['prometheus']);
  });

  test('of two detectors with the same type, the first is used, and the second is reported', () => {
    const { rules, problems } = ruled({
      added: [added('mine/a.yaml', { title: 'First' }), added('mine/b.yaml', { title: 'Second' })],
    });
    expect(rules.byType.get('example')?.detector.title).toBe('First');
    expect(problems.map(({ where }) => where)).toEqual(['mine/b.yaml']);
    expect(problems[0]?.what).toContain('mine/a.yaml');
  });

  test('a disabled detector finds nothing', () => {
    expect(typesIn(ruled({ options: set('prometheus', { enabled: false }) }).rules)).toEqual([]);
    expect(typesIn(ruled({ options: set('grafana', { enabled: false }) }).rules)).toEqual(['prometheus']);
  });

  test('a type that is disabled by name is disabled, and an unknown type is only reported', () => {
    const { rules, problems } = ruled({ disabled: ['prometheus', 'abacus'] });
    expect(typesIn(rules)).toEqual([]);
    expect(problems).toMatchObject([
      { where: 'ENABLE_ABACUS', what: expect.stringMatching(/^there is no detector of this type; /) },
    ]);
  });

  test('options for an unknown type are reported, with the known types', () => {
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
  ])('a detector can be restricted to %s', (_, change, finds) => {
    const { rules } = ruled({ options: set('prometheus', change) });
    const { candidates } = detect([{ ...prometheus, annotations: { team: 'a' } }], rules, options);
    expect(candidates.map(({ type }) => type)).toEqual(finds ? ['prometheus'] : []);
  });

  test('if several detectors claim a Service, the one with the highest priority wins', () => {
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

  describe('no annotation enables what the operator disabled', () => {
    const says = (type: string) => offered('logs', { type }, { ports: ['http:3100'] });
    const typesOf = (change: Partial<Customisation>, type = 'loki'): string[] =>
      detect([says(type)], ruled(change).rules, options).candidates.map((found) => found.type);

    test.each<[string, Partial<Customisation>]>([
      ['by its options', { options: set('loki', { enabled: false }) }],
      ['by name', { disabled: ['loki'] }],
      ['in this namespace', { options: set('loki', { excludeNamespaces: ['monitoring'] }) }],
      ['everywhere else', { options: set('loki', { namespaces: ['default'] }) }],
      ['without an annotation', { options: set('loki', { requiredAnnotations: { team: '*' } }) }],
    ])('%s', (_, change) => {
      expect(typesOf({})).toEqual(['loki']);
      expect(typesOf(change)).toEqual([]);
      expect(typesOf(change, ' loki ')).toEqual([]);
    });

    test('nor a custom type that was disabled by name; others stay', () => {
      const { rules } = ruled({ disabled: ['abacus'] });
      const offers = ['abacus', 'slate'].map((type) => offered(type, { type }));
      expect(detect(offers, rules, options).candidates.map(({ type }) => type)).toEqual(['slate']);
    });

    test('explain shows it', () => {
      const { rules } = ruled({ disabled: ['loki'] });
      const told = explain([says('loki')], keyFor('monitoring/logs'), rules, options);
      expect(told?.candidate).toBeUndefined();
      expect(told?.detectors.find(({ type }) => type === 'custom')).toEqual({
        type: 'custom',
        matched: false,
        near: true,
        reasons: ['its owner offers it as loki, which the configuration switches off (ENABLE_LOKI=false)'],
      });
    });

    test.each([
      ['by name', { disabled: ['loki'] }, 'the configuration switches it off (ENABLE_LOKI=false)'],
      [
        'by an option',
        { options: set('loki', { enabled: false }) },
        'the configuration switches it off (enabled: false of loki in detectors)',
      ],
      [
        'in this namespace',
        { options: set('loki', { excludeNamespaces: ['monitoring'] }) },
        'the configuration keeps it out of this namespace (excludeNamespaces of loki in detectors)',
      ],
      [
        'outside some namespaces',
        { options: set('loki', { namespaces: ['logging'] }) },
        'the configuration has it look in logging only (namespaces of loki in detectors)',
      ],
      [
        'without an annotation',
        { options: set('loki', { requiredAnnotations: { team: '*' } }) },
        'the configuration wants all of the annotations team (requiredAnnotations of loki in detectors)',
      ],
    ])('explain says that it would match, if it is disabled %s', (_, change, excluded) => {
      const { rules } = ruled(change);
      const loki = service('loki', { labels: { app: 'loki' }, ports: [3100] });
      const told = explain([loki], keyFor('monitoring/loki'), rules, options);
      const reasons = [`it would match (label app=loki), but ${excluded}`];
      expect(told?.candidate).toBeUndefined();
      expect(told?.detectors.find(({ type }) => type === 'loki')).toEqual({
        type: 'loki',
        matched: false,
        near: true,
        reasons,
        excluded,
      });
      const other = explain([service('shop', { ports: [80] })], keyFor('monitoring/shop'), rules, options);
      expect(other?.detectors.find(({ type }) => type === 'loki')).toMatchObject({ near: false });
    });
  });
});
