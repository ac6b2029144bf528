import { expect, test } from 'vitest';
import { type ApprovalPlace, approveText } from './approval-place.ts';

test.each<[string, ApprovalPlace | undefined, string]>([
  ['a cluster', undefined, 'dynamic-toolset approve shop/orders'],
  [
    'a file',
    { file: 'my overrides.yaml' },
    "dynamic-toolset approve shop/orders --type mcp --file 'my overrides.yaml'",
  ],
  [
    'a file that is not there yet',
    { file: 'o.yaml', flag: '--overrides' },
    'dynamic-toolset approve shop/orders --type mcp --file o.yaml, and give that file with --overrides o.yaml',
  ],
  [
    'a document with other content',
    { place: 'overrides.yaml of out.yaml' },
    'set approved: mcp for shop/orders under tools in overrides.yaml of out.yaml',
  ],
])('how to approve in %s', (_, place, text) => {
  expect(approveText('shop/orders', 'mcp', place)).toBe(text);
});
