import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Matcher } from '../model/detector.ts';
import { fitsPattern, matchService, quoteForDisplay } from './match.ts';

describe('fitsPattern', () => {
  test.each([
    ['web', 'web', true],
    ['web', 'Web', false],
    ['web', 'we', false],
    ['http-web', '*web', true],
    ['web-http', 'web*', true],
    ['web', '*', true],
    ['', '*', true],
    ['a-b-c', 'a*c', true],
    ['ac', 'a*c', true],
    ['a', 'a*a', false],
    ['aa', 'a*a', true],
    ['abcbc', 'a*bc', true],
    ['a-b', 'a*b*c', false],
    ['a-c-b', 'a*b*c', false],
    ['abab', '*ab*ab*', true],
    ['ab', '*ab*ab*', false],
    ['a+b', 'a.b', false],
    ['a**b', 'a**b', true],
  ])('%j against %j: %j', (text, pattern, fits) => {
    expect(fitsPattern(text, pattern)).toBe(fits);
  });

  test('is equivalent to a regular expression whose dot matches any character', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '.', '\n'), maxLength: 12 });
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
    fc.assert(
      fc.property(texts, patterns, (text, pattern) => {
        const expression = pattern
          .split('*')
          .map((part) => part.replaceAll('.', '\\.'))
          .join('.*');
        expect(fitsPattern(text, pattern)).toBe(new RegExp(`^${expression}$`, 's').test(text));
      }),
    );
  });

  test('a long hostile value with many candidate positions is decided', () => {
    const text = 'ab'.repeat(500_000);
    expect(fitsPattern(text, `${'*ab'.repeat(40)}*c*b`)).toBe(false);
  });
});

describe('matchService', () => {
  const prometheus = service('prometheus-main', {
    labels: { app: 'prometheus', tier: '' },
    annotations: { 'example.com/enabled': 'true' },
    selector: { app: 'server' },
    ports: ['web:9090', { name: 'stores', port: 10901, appProtocol: 'grpc' }],
  });

  test.each<[string, Matcher, boolean]>([
    ['a label', { labels: { app: 'prometheus' } }, true],
    ['a label with another value', { labels: { app: 'grafana' } }, false],
    ['a label out of a list', { labels: { app: ['grafana', 'prom*'] } }, true],
    ['a label that only has to be there', { labels: { tier: true } }, true],
    ['a label that is not there', { labels: { team: true } }, false],
    ['a missing label against any text', { labels: { team: '*' } }, false],
    ['two labels of which one fails', { labels: { app: 'prometheus', tier: 'x' } }, false],
    ['an annotation', { annotations: { 'example.com/enabled': 'true' } }, true],
    ['a label does not stand in for an annotation', { annotations: { app: 'prometheus' } }, false],
    ['a selector', { selector: { app: 'server' } }, true],
    ['a name', { name: '*-main' }, true],
    ['another name', { name: 'grafana*' }, false],
    ['a port by name and number', { port: { name: 'web', number: 9090 } }, true],
    ['name and number of two different ports', { port: { name: 'web', number: 10901 } }, false],
    ['an appProtocol', { port: { appProtocol: 'grpc' } }, true],
    ['an appProtocol of another port', { port: { name: 'web', appProtocol: 'grpc' } }, false],
    ['everything together', { labels: { app: 'prometheus' }, name: '*', port: { number: 9090 } }, true],
    ['everything but the port', { labels: { app: 'prometheus' }, name: '*', port: { number: 80 } }, false],
  ])('%s', (_, matcher, matches) => {
    expect(matchService(prometheus, matcher) !== undefined).toBe(matches);
  });

  test('lists each rule that matched', () => {
    const said = matchService(prometheus, {
      labels: { app: 'prom*' },
      selector: { app: 'server' },
      port: { number: 10901, appProtocol: 'grpc' },
    });
    expect(said).toContain('label app=prometheus');
    expect(said).toContain('selector app=server');
    expect(said).toMatch(/port 10901 .*stores.*grpc/);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'a label %s counts only if the Service really has it',
    (key) => {
      const expected = Object.fromEntries([[key, true as const]]);
      expect(matchService(service('plain'), { labels: expected })).toBeUndefined();
      const labels = JSON.parse(`{ ${JSON.stringify(key)}: "yes" }`) as Record<string, string>;
      expect(matchService(service('odd', { labels }), { labels: expected })).toContain(`${key}=yes`);
    },
  );
});

describe('shown', () => {
  test.each([
    ['monitoring/prometheus:9090', 'monitoring/prometheus:9090'],
    ['two words', '"two words"'],
    ['', '""'],
    ['line\nbreak', '"line\\nbreak"'],
  ])('%j is shown as %s', (value, text) => {
    expect(quoteForDisplay(value)).toBe(text);
  });

  test('a long hostile value is truncated', () => {
    expect(quoteForDisplay('x'.repeat(100_000))).toHaveLength(80);
    expect(quoteForDisplay('\n'.repeat(100_000)).length).toBeLessThan(200);
  });
});
