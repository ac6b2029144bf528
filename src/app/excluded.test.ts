import { describe, expect, test } from 'vitest';
import { builtIn } from '../../test/fixtures/unit/detection.ts';
import { makeRules } from '../detection/make-rules.ts';
import type { DetectorsOptions } from '../model/detector-options.ts';
import { detectorsOptions } from '../model/detector-options.ts';
import type { PublishedTool } from '../model/published-tools.ts';
import { excludedBy } from './excluded.ts';

const rulesWith = (options: unknown = {}, disabled: readonly string[] = []) => {
  const detectors: DetectorsOptions = detectorsOptions.parse(options);
  return makeRules(builtIn, { added: [], options: detectors, disabled }).rules;
};
const tool = (type: string, more: Partial<PublishedTool> = {}): PublishedTool => ({
  name: 'x.monitoring',
  type,
  endpoint: 'http://x.monitoring.svc.cluster.local:80',
  description: '',
  namespace: 'monitoring',
  ...more,
  metadata: { service: 'x', certainty: 'label', ...more.metadata },
});

const OFF = 'its detector is off there';
const UNWATCHED = 'its namespace is not watched';

describe('a published tool is excluded', () => {
  test.each<[string, string | undefined, Parameters<typeof excludedBy>, PublishedTool]>([
    ['its detector is switched off', OFF, [rulesWith({}, ['loki']), ['*']], tool('loki')],
    ['by an option', OFF, [rulesWith({ loki: { enabled: false } }), ['*']], tool('loki')],
    ['another detector is', undefined, [rulesWith({}, ['tempo']), ['*']], tool('loki')],
    [
      'for other namespaces only',
      undefined,
      [rulesWith({ loki: { namespaces: ['mon*'] } }), ['*']],
      tool('loki'),
    ],
    ['for its namespace', OFF, [rulesWith({ loki: { namespaces: ['logs'] } }), ['*']], tool('loki')],
    ['excluded there', OFF, [rulesWith({ loki: { excludeNamespaces: ['mon*'] } }), ['*']], tool('loki')],
    ['its namespace is searched', undefined, [rulesWith(), ['logs', 'monitoring']], tool('loki')],
    ['its namespace is not searched any more', UNWATCHED, [rulesWith(), ['logs']], tool('loki')],
    ['all namespaces are searched', undefined, [rulesWith(), ['*']], tool('loki')],
    ['all manifests are searched', undefined, [rulesWith(), []], tool('loki')],
    [
      'overrides show another namespace',
      undefined,
      [rulesWith(), ['monitoring']],
      tool('loki', { namespace: 'team-a' }),
    ],
    [
      'overrides show a namespace that is searched',
      UNWATCHED,
      [rulesWith(), ['team-a']],
      tool('loki', { namespace: 'team-a' }),
    ],
    [
      'its type is unknown, because a detector file has an error',
      undefined,
      [rulesWith(), ['*']],
      tool('cassandra'),
    ],
    [
      'its owner named the type, and annotated Services are switched off',
      OFF,
      [rulesWith({}, ['custom']), ['*']],
      tool('cassandra', { metadata: { service: 'x', certainty: 'annotation' } }),
    ],
    [
      'an annotation of its own detector, and annotated Services are switched off',
      undefined,
      [rulesWith({}, ['custom']), ['*']],
      tool('jaeger', { metadata: { service: 'x', certainty: 'annotation' } }),
    ],
  ])('%s: %s', (_, expected, given, published) => {
    expect(excludedBy(...given)(published)).toBe(expected);
  });
});
