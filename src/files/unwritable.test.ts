import { expect, test } from 'vitest';
import { unwritable } from './unwritable.ts';

const failed = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: words of the system, open '${path}'`), { code, path });

test.each([
  ['EACCES', 'this user may not write to it or to its folder'],
  ['EPERM', 'this user may not write to it or to its folder'],
  ['EROFS', 'its file system is read-only'],
  ['ENOSPC', 'there is no space left on its disk'],
  ['EISDIR', 'it is a folder'],
  ['ENOENT', 'the folder a/b does not exist'],
  ['ENOTDIR', 'a/b is not a folder'],
  ['EIO', 'EIO: words of the system'],
])('%s in words, without the name of a temporary file: %s', (code, words) => {
  expect(unwritable(failed(code, 'a/b/o.yaml.c499.tmp'))).toBe(words);
});

test('an error that is not of the system keeps its words', () => {
  expect(unwritable(new Error('it changed, so it is kept'))).toBe('it changed, so it is kept');
});
