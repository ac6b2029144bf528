import { expect, test } from 'vitest';
import { canonicalAddress } from './addresses.ts';

test.each([
  ['010.9.000.05', '10.9.0.5'],
  ['10.9.0.5', '10.9.0.5'],
  ['FD00:0:0::0:1', 'fd00::1'],
  ['fd00::1', 'fd00::1'],
  ['Pod.Example.com', 'pod.example.com'],
  ['::no', '::no'],
])('%s is %s', (text, expected) => {
  expect(canonicalAddress(text)).toBe(expected);
});
