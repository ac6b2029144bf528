import { execFileSync } from 'node:child_process';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { FileChangedError, replaceFile, rewriteFile } from './replace-file.ts';

/** What the file system does at a rename and at a write. */
const system = vi.hoisted(() => ({ rename: (): void => {}, written: (_bytes: number): void => {} }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const renameSync: typeof fs.renameSync = (from, to) => {
    system.rename();
    fs.renameSync(from, to);
  };
  return { ...fs, renameSync };
});
vi.mock('node:fs/promises', async (original) => {
  const fs = await original<typeof import('node:fs/promises')>();
  const open: typeof fs.open = async (path, flags, mode) => {
    const handle = await fs.open(path, flags, mode);
    const write = handle.write.bind(handle) as typeof handle.write;
    handle.write = (async (bytes: Buffer, at: number, length: number, position: number) => {
      // A short write, as of a disk that is nearly full.
      const result = await write(bytes, at, Math.min(length, 3), position);
      system.written(position + result.bytesWritten);
      return result;
    }) as typeof handle.write;
    return handle;
  };
  return { ...fs, open };
});

const failing = (code: string) => () => {
  throw Object.assign(new Error(`${code}: of the test`), { code });
};

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'replace-file-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  path = join(folder, 'file');
  await writeFile(path, 'before');
});
afterEach(() => {
  Object.assign(system, { rename: () => {}, written: () => {} });
});

const content = (): Promise<string> => readFile(path, 'utf8');

describe.each([
  ['replaced', replaceFile],
  ['rewritten', rewriteFile],
])('a file is %s', (_, write) => {
  test('and no other file stays', async () => {
    await write(path, 'after', 'before');
    expect(await content()).toBe('after');
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('if it is not there yet', async () => {
    await rm(path);
    await write(path, 'after', '');
    expect(await content()).toBe('after');
  });

  test('with its permissions, and the file of a symbolic link', async () => {
    await chmod(path, 0o640);
    await symlink('file', join(folder, 'link'));
    await write(join(folder, 'link'), 'after', 'before');
    expect((await stat(path)).mode & 0o7777).toBe(0o640);
    expect(await content()).toBe('after');
  });

  test.each([
    ['has another text', () => writeFile(path, 'an edit')],
    ['has a text of the same length', () => writeFile(path, 'BEFORE')],
    ['is gone', () => rm(path)],
    ['is new', () => writeFile(path, 'x'), ''],
  ])('not if it %s meanwhile', async (_, meanwhile, before = 'before') => {
    await meanwhile();
    const now = await content().catch(() => undefined);
    await expect(write(path, 'after', before)).rejects.toBeInstanceOf(FileChangedError);
    expect(await content().catch(() => undefined)).toBe(now);
  });

  test('if only its times changed, or it is not valid UTF-8', async () => {
    await writeFile(path, Buffer.from([0x61, 0xff]));
    await utimes(path, 1, 1);
    await write(path, 'after', 'a\ufffd');
    expect(await content()).toBe('after');
  });

  test('not if it is a FIFO, a device or a folder', async () => {
    await rm(path);
    execFileSync('mkfifo', [path]);
    await expect(write(path, 'after', '')).rejects.toThrow('it is a FIFO or a device');
    await expect(write('/dev/null', 'after', '')).rejects.toThrow('it is a FIFO or a device');
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
    await rm(path);
    await mkdir(path);
    await expect(write(path, 'after', '')).rejects.toThrow('it is a folder');
    expect(await readdir(folder)).toEqual(['file']);
  });

  test.each([
    ['its folder does not exist', 'no/such/file', (at: string) => `the folder ${at}/no/such does not exist`],
    ['its folder is a file', 'file/new', (at: string) => `${at}/file is not a folder`],
  ])('not if %s, which it says without a temporary name', async (_, name, words) => {
    await expect(write(join(folder, name), 'after', '')).rejects.toThrow(
      expect.objectContaining({ message: words(folder) }),
    );
  });

  test('not after a full disk', async () => {
    system.rename = failing('ENOSPC');
    await expect(write(path, 'after', 'before')).rejects.toThrow('there is no space left on its disk');
    expect(await content()).toBe('before');
    expect(await readdir(folder)).toEqual(['file']);
  });
});

describe('a file that cannot be replaced', () => {
  beforeEach(() => {
    system.rename = failing('EBUSY');
  });

  test.each(['after that is longer', 'after', ''])('is written in place: %j', async (after) => {
    const { ino } = await stat(path);
    await rewriteFile(path, after, 'before');
    expect(await content()).toBe(after);
    expect((await stat(path)).ino).toBe(ino);
    expect(await readdir(folder)).toEqual(['file']);
  });

  test('keeps its text if the disk is full', async () => {
    system.written = (end) => {
      if (end > 'before'.length) failing('ENOSPC')();
    };
    await expect(rewriteFile(path, 'after that is longer', 'before')).rejects.toThrow(
      'there is no space left on its disk',
    );
    expect(await content()).toBe('before');
  });

  test('keeps the text of others', async () => {
    system.rename = () => {
      execFileSync('sh', ['-c', `printf other > ${path}`]);
      failing('EBUSY')();
    };
    await expect(rewriteFile(path, 'after', 'before')).rejects.toBeInstanceOf(FileChangedError);
    expect(await content()).toBe('other');
  });

  test('and is not there, is an error of the folder', async () => {
    await rm(path);
    await expect(rewriteFile(path, 'after', '')).rejects.toThrow('it is mounted or in use');
  });
});
