import { describe, expect, test } from 'vitest';
import { builtIn, detected, options, rules } from '../../test/fixtures/unit/detection.ts';
import { keyFor, service } from '../../test/fixtures/unit/service.ts';
import { explain } from './explain.ts';
import { ignoredAnnotations } from './ignored-annotations.ts';
import { makeRules } from './make-rules.ts';

const ENDPOINT = { 'kubernaut.io/toolset-endpoint': 'http://loki.monitoring:3100/logs' };
const said = (annotations: Record<string, string>, labels = {}): string[] =>
  ignoredAnnotations(service('loki', { labels, annotations, ports: [3100] }), rules).map(({ what }) => what);

describe('an annotation of an owner who does not offer the Service', () => {
  const what =
    'annotation kubernaut.io/toolset-endpoint is ignored: it counts only together with the annotation kubernaut.io/toolset: "true"';

  test('is ignored, and detection and explain say so', () => {
    const logs = service('loki', { labels: { app: 'loki' }, annotations: ENDPOINT, ports: [3100] });
    const problem = {
      where: 'Service monitoring/loki',
      what,
      fix: 'add that one, or remove this one',
    };
    expect(detected(logs).problems).toEqual([problem]);
    expect(explain([logs], keyFor('monitoring/loki'), rules, options)?.ignored).toEqual([problem]);
  });

  test('is ignored with another value than those that offer it', () => {
    expect(said({ ...ENDPOINT, 'kubernaut.io/toolset': 'yes' })).toEqual([what]);
  });

  test('explain says so of a Service that nothing else identifies, too, which detection does not report', () => {
    const other = service('shop', { annotations: ENDPOINT, ports: [80] });
    expect(detected(other).problems).toEqual([]);
    expect(explain([other], keyFor('monitoring/shop'), rules, options)?.ignored).toHaveLength(1);
  });

  test('several are named together', () => {
    expect(said({ ...ENDPOINT, 'kubernaut.io/toolset-name': 'x' })).toEqual([
      'annotations kubernaut.io/toolset-name, kubernaut.io/toolset-endpoint are ignored: they count only together with the annotation kubernaut.io/toolset: "true"',
    ]);
  });
});

test.each(['true', 'enabled'])('with kubernaut.io/toolset=%s, nothing is ignored', (word) => {
  expect(said({ ...ENDPOINT, 'kubernaut.io/toolset': word })).toEqual([]);
});

test('nothing is said of a Service whose owner keeps it out', () => {
  const out = service('loki', { annotations: { ...ENDPOINT, 'kubernaut.io/toolset': 'false' }, ports: [1] });
  expect(explain([out], keyFor('monitoring/loki'), rules, options)?.ignored).toEqual([]);
});

test('annotations of others, which count on their own, are not ignored', () => {
  expect(said({ 'kagent.dev/mcp-service-path': '/mcp' })).toEqual([]);
});

test('nothing is advised that a disabled detector would not read', () => {
  const { rules: without } = makeRules(builtIn, { added: [], options: {}, disabled: ['custom'] });
  expect(ignoredAnnotations(service('loki', { annotations: ENDPOINT, ports: [3100] }), without)).toEqual([]);
});
