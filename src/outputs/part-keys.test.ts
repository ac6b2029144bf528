import { expect, test } from 'vitest';
import { overridesSchema } from './overrides-schema.ts';

test.each<[string, boolean]>([
  ['shop/lgtm:3100', true],
  ['shop/lgtm:65535', true],
  ['shop/lgtm:0', false],
  ['shop/lgtm:65536', false],
  ['shop/lgtm:http', false],
  ['shop/lgtm:', false],
  ['shop/*:3100', false],
])('the key %s of a part of a Service (%s)', (key, isKey) => {
  expect(overridesSchema.safeParse({ tools: { [key]: { enabled: false } } }).success).toBe(isKey);
  const toolsets = { 'grafana/loki': { backends: { [key]: { timeout: 1 } } } };
  expect(overridesSchema.safeParse({ holmesgpt: { toolsets } }).success).toBe(isKey);
});

test('a wrong port is told', () => {
  const { error } = overridesSchema.safeParse({ tools: { 'shop/lgtm:70000': {} } });
  expect(error?.message).toContain('is neither NAMESPACE/SERVICE nor NAMESPACE/SERVICE:PORT');
});
