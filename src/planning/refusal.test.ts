import { expect, test } from 'vitest';
import { observed } from '../../test/fixtures/unit/toolset.ts';
import type { Published } from '../model/published.ts';
import { refusal } from './refusal.ts';

const found = (parts: Partial<Published>): Published => ({ data: {}, labels: {}, annotations: {}, ...parts });
const theirs = { 'custom_toolset.yaml': 'toolsets: {}\n' };

test.each<[string, Published | undefined, RegExp | undefined]>([
  ['nothing there', undefined, undefined],
  ['made for overrides', found({ data: { 'overrides.yaml': '', notes: '' } }), undefined],
  ['ours', found({ data: theirs, managers: ['dynamic-toolset'] }), undefined],
  [
    "a person's documents",
    found({ data: theirs, managers: ['kubectl'] }),
    /custom_toolset\.yaml that somebody else wrote/,
  ],
  ["a chart's", found({ labels: { 'app.kubernetes.io/managed-by': 'Helm' } }), /managed by Helm/],
  [
    'ours, as a part of another one',
    found({
      labels: { 'kubernaut.io/shard': '2', 'kubernaut.io/configmap': 'toolset' },
      managers: ['dynamic-toolset-shard'],
    }),
    /part of the documents of the ConfigMap toolset; choose another/,
  ],
  ['immutable, and ours', found({ immutable: true, managers: ['dynamic-toolset'] }), /immutable.*delete it/],
])('%s', (_, live, expected) => {
  const refused = refusal(observed(live), false);
  if (expected === undefined) expect(refused).toBeUndefined();
  else expect(refused).toMatch(expected);
});

test('--force takes over what others created, and does not make an immutable one changeable', () => {
  expect(refusal(observed(found({ data: theirs })), true)).toBeUndefined();
  expect(refusal(observed(found({ data: theirs, immutable: true })), true)).toMatch(/immutable/);
});
