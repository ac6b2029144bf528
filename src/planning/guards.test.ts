import { describe, expect, test } from 'vitest';
import type { Documents } from '../model/documents.ts';
import { sizeFault } from './guards.ts';

describe('the size of the documents', () => {
  const sized = (kib: number): Documents => ({
    'toolset.json': 'ü'.repeat(kib * 256),
    'custom_toolset.yaml': 'x'.repeat(kib * 512),
  });
  test('in bytes, of both together: a small size is no problem', () => {
    expect(sizeFault(sized(500))).toBeUndefined();
  });
  test('of each ConfigMap, if they are divided', () => {
    const divided = { ...sized(900), 'toolset.json#2': 'x'.repeat(900 * 1024) };
    expect(sizeFault(divided)).toBeUndefined();
    expect(sizeFault({ ...divided, 'toolset.json#2': 'x'.repeat(900 * 1024 + 1) })).toMatchObject({
      refused: true,
      what: 'the documents of one ConfigMap have 901 KiB, and a ConfigMap takes 900 KiB of them',
    });
  });
  test('is reported over 500 KiB, and rejected over 900 KiB', () => {
    expect(sizeFault(sized(501))).toMatchObject({ refused: false, what: expect.stringContaining('501 KiB') });
    expect(sizeFault(sized(900))).toMatchObject({
      refused: false,
      what: 'the documents have 900 KiB, and at 900 KiB they are no longer published',
    });
    expect(sizeFault(sized(901))).toMatchObject({
      refused: true,
      what: 'the documents have 901 KiB, and a ConfigMap takes 900 KiB of them',
      fix: expect.any(String),
    });
  });
});
