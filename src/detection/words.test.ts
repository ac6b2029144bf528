import { describe, expect, test } from 'vitest';
import { lastRun, withoutInstance, wordsOf } from './words.ts';

describe('wordsOf', () => {
  test.each([
    ['prometheus', ['prometheus']],
    ['kube-prometheus-stack', ['kube', 'prometheus', 'stack']],
    ['Grafana_Loki.gateway/http', ['grafana', 'loki', 'gateway', 'http']],
    ['tempo-query-frontend-0', ['tempo', 'query', 'frontend']],
    ['jaeger-v2', ['jaeger']],
    ['v2ray-k8s-3scale', ['v2ray', 'k8s', '3scale']],
    ['--a--', ['a']],
    ['', []],
    ['-42-', []],
  ])('%j has the words %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });
});

describe('withoutInstance', () => {
  test.each([
    ['my-release-loki-gateway', ['my-release'], 'loki-gateway'],
    ['my-releases-loki', ['my-release'], 'my-releases-loki'],
    ['my-release', ['my-release'], 'my-release'],
    ['loki-my-release', ['my-release'], 'loki-my-release'],
    ['b-loki', ['a', 'b'], 'loki'],
    ['loki', [], 'loki'],
  ])('%j without %j is %j', (text, instances, rest) => {
    expect(withoutInstance(text, instances)).toBe(rest);
  });
});

describe('lastRun', () => {
  test.each([
    [['a', 'b', 'c'], ['b', 'c'], { start: 1, end: 3 }],
    [['a', 'b', 'a', 'b', 'c'], ['a', 'b'], { start: 2, end: 4 }],
    [['a', 'b'], ['a', 'b'], { start: 0, end: 2 }],
    [['a', 'x', 'b'], ['a', 'b'], undefined],
    [['a'], ['a', 'b'], undefined],
    [[], ['a'], undefined],
  ])('in %j the run %j is last at %j', (words, run, place) => {
    expect(lastRun(words, run)).toEqual(place);
  });
});
