import { expect, test } from 'vitest';
import { discovered, rules } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { toolset } from '../../test/fixtures/unit/toolset.ts';
import { NO_OVERRIDES } from '../model/overrides.ts';
import { generate } from '../outputs/generate.ts';
import { OUTPUTS } from '../outputs/registry.ts';
import { knownFrom, roughlyFrom, withHeld } from './held.ts';
import { toolKinds } from './pass.ts';

test('what is published tells in which order its Services were created, so it can be made again', () => {
  const loki = (namespace: string, created: string) => {
    const found = discovered(service('loki', { namespace, labels: { app: 'loki' }, ports: ['http:3100'] }));
    return { ...found, service: { ...found.service, created } };
  };
  const found = [loki('a', '2026-02-01T00:00:00Z'), loki('b', '2026-01-01T00:00:00Z')];
  const options = {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: NO_OVERRIDES,
    kinds: toolKinds(rules),
  } as const;
  const { documents } = generate(found, options);
  expect(documents['custom_toolset.yaml']).toMatch(/loki\.b.*loki\.a/s);
  expect([...(knownFrom(toolset(documents), options, OUTPUTS)?.keys() ?? [])]).toEqual(['loki.a', 'loki.b']);
});

test('what cannot be made again to the letter is held by itself, and keeps nothing else from being published', () => {
  const loki = (namespace: string) =>
    discovered(service('loki', { namespace, labels: { app: 'loki' }, ports: ['http:3100'] }));
  const options = {
    credentials: {},
    holmesgptVersion: '0.32',
    overrides: NO_OVERRIDES,
    kinds: toolKinds(rules),
  } as const;
  const { documents } = generate([loki('a'), loki('b')], options);
  const edited = { ...documents, 'custom_toolset.yaml': `${documents['custom_toolset.yaml']}# other\n` };
  expect(knownFrom(toolset(edited), options, OUTPUTS)).toBeUndefined();
  const known = roughlyFrom(toolset(edited).tools, ['loki.a'], options.kinds);
  const result = withHeld(['loki.a'], [loki('c')], known, options, OUTPUTS);
  const { tools } = JSON.parse(result?.generated.documents['toolset.json'] ?? '{}');
  expect(tools.map(({ name }: { name: string }) => name)).toEqual(['loki.a', 'loki.c']);
});
