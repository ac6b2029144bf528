import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { packRevision, unpackRevision } from './revision-data.ts';

const KIB = 1024;
const bytesOf = (data: Readonly<Record<string, string>>): number =>
  Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
const large = {
  'toolset.json': '{"tools":["ü"]}'.repeat(50 * KIB),
  'toolset.json#2': '{"tools":["b"]}'.repeat(60 * KIB),
  'custom_toolset.yaml': 'toolsets: {}\n',
};

describe('the data of a revision', () => {
  test('is the unchanged documents while they are small enough to read', async () => {
    const documents = { 'toolset.json': 'x'.repeat(127 * KIB), 'custom_toolset.yaml': 'y' };
    const data = await packRevision({ documents, overrides: 'z' });
    expect(data).toEqual({ ...documents, 'overrides.yaml': 'z' });
    expect(await unpackRevision(data)).toEqual({ documents, overrides: 'z' });
  });

  test('is compressed beyond that, and restored completely', async () => {
    const documents = { 'toolset.json': 'x'.repeat(129 * KIB), 'custom_toolset.yaml': 'y' };
    const packed = await packRevision({ documents, overrides: undefined });
    expect(bytesOf(packed)).toBeLessThan(KIB);
    expect(await unpackRevision(packed)).toEqual({ documents, overrides: undefined });
    const data = await packRevision({ documents: large, overrides: '# mine\n' });
    expect(bytesOf(data)).toBeLessThan(100 * KIB);
    expect(data['overrides.yaml']).toBe('# mine\n');
    expect(await unpackRevision(data)).toEqual({ documents: large, overrides: '# mine\n' });
    expect(
      (await unpackRevision(await packRevision({ documents: large, overrides: undefined })))?.overrides,
    ).toBeUndefined();
  });

  test('is rejected if it is still too large, with what to do', async () => {
    const documents = { 'toolset.json': randomBytes(1_200 * KIB).toString('base64') };
    await expect(packRevision({ documents, overrides: undefined })).rejects.toThrow(/too large.*MAX_SHARDS/);
  });

  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['overrides only', { 'overrides.yaml': '' }],
    ['no base64 of gzip', { 'documents.json.gz': 'x' }],
    ['no JSON', { 'documents.json.gz': gzipSync('{').toString('base64') }],
    ['no texts', { 'documents.json.gz': gzipSync('{"a": 1}').toString('base64') }],
    [
      'far too much',
      { 'documents.json.gz': gzipSync(`{"a": "${'x'.repeat(40 * KIB * KIB)}"}`).toString('base64') },
    ],
  ])('of others is no revision: %s', async (_, data) => {
    expect(await unpackRevision(data)).toBeUndefined();
  });
});
