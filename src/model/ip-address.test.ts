import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isIpAddress } from './ip-address.ts';

describe('isIpAddress', () => {
  test('agrees with Node.js on addresses', () => {
    fc.assert(fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => isIpAddress(text)));
  });

  test('agrees with Node.js on texts that look like addresses', () => {
    const alike = fc.string({ unit: fc.constantFrom(...'0125af:.]/['), maxLength: 12 });
    fc.assert(
      fc.property(fc.oneof(alike, fc.string()), (text) => {
        expect(isIpAddress(text)).toBe(isIP(text) !== 0 && !text.includes('%'));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each(['None', '', '::1]/[', '01.1.1.1', '1.1.1.1.', '256.1.1.1', 'fe80::1%eth0'])(
    'rejects %j',
    (text) => {
      expect(isIpAddress(text)).toBe(false);
    },
  );
});
