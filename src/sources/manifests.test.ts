import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, type UserError } from '../model/errors.ts';
import { displayKey } from '../model/key.ts';
import { type ManifestOptions, manifestSource } from './manifests.ts';
import { type Change, readOnce } from './source.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
});
afterEach(() => rm(folder, { recursive: true }));

const service = (name: string, port = 80, namespace = ''): string =>
  `---\napiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: ${namespace || '~'} }\nspec: { ports: [{ port: ${port} }] }\n`.replace(
    ', namespace: ~',
    '',
  );

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}

const options = (given: Partial<ManifestOptions>): ManifestOptions => ({
  paths: [folder],
  namespaces: [],
  defaultNamespace: 'default',
  follow: undefined,
  stdin: Readable.from([]),
  ...given,
});
const read = (given: Partial<ManifestOptions> = {}) =>
  readOnce(manifestSource(options(given)), new AbortController().signal);
const keys = async (given: Partial<ManifestOptions> = {}): Promise<string[]> =>
  (await read(given)).services.map(displayKey);

describe('places of manifests', () => {
  test('a file with any name', async () => {
    await write({ 'manifests.txt': service('a') });
    expect(await keys({ paths: [join(folder, 'manifests.txt')] })).toEqual(['default/a']);
  });

  test('a folder and its subfolders, manifests only', async () => {
    await write({
      'b.yaml': service('b'),
      'a.yml': service('a'),
      'deep/er/c.json': '{"apiVersion":"v1","kind":"Service","metadata":{"name":"c"}}',
      'D.YAML': service('d'),
      'README.md': service('not'),
      'deep/values.yaml.gotmpl': service('not'),
    });
    expect((await keys()).sort()).toEqual(['default/a', 'default/b', 'default/c', 'default/d']);
  });

  test('symlinks to files, as Kubernetes mounts ConfigMaps', async () => {
    await write({ '..data/a.yaml': service('a') });
    await symlink(join('..data', 'a.yaml'), join(folder, 'a.yaml'));
    const { services, problems } = await read();
    expect(services.map(displayKey)).toEqual(['default/a']);
    expect(problems).toEqual([]);
  });

  test('an empty folder, which is not an error', async () => {
    expect(await read()).toMatchObject({ services: [], problems: [] });
  });

  test('standard input, in chunks', async () => {
    const text = Buffer.from(`${service('a')}# ü\n${service('b')}`);
    const pieces = Array.from(text, (byte) => Buffer.from([byte]));
    expect(await keys({ paths: ['-'], stdin: Readable.from(pieces) })).toEqual(['default/a', 'default/b']);
  });

  test('several paths, in their order', async () => {
    await write({ 'one.yaml': service('a'), 'two/b.yaml': service('b') });
    const paths = [join(folder, 'two'), '-', join(folder, 'one.yaml')];
    expect(await keys({ paths, stdin: Readable.from([service('c')]) })).toEqual([
      'default/b',
      'default/c',
      'default/a',
    ]);
  });

  test('a path that does not exist is reported with the fix', async () => {
    const path = join(folder, 'missing.yaml');
    const error = await read({ paths: [path] }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as UserError).message).toContain(path);
    expect((error as UserError).message).toContain('-f');
  });

  test('an unreadable file in a folder is reported, and the others count', async () => {
    await write({ 'b.yaml': service('b') });
    await symlink(join(folder, 'nowhere'), join(folder, 'a.yaml'));
    const { services, problems } = await read();
    expect(services.map(displayKey)).toEqual(['default/b']);
    expect(problems.map(({ where }) => where)).toEqual([join(folder, 'a.yaml')]);
  });

  test('a broken document is reported with file and line, and the others count', async () => {
    await write({ 'a.yaml': `${service('a')}---\nx: y: z\n`, 'b.yaml': service('b') });
    const { services, problems } = await read();
    expect(services.map(displayKey)).toEqual(['default/a', 'default/b']);
    expect(problems.map(({ where }) => where)).toEqual([`${join(folder, 'a.yaml')}:7`]);
  });
});

describe('included Services', () => {
  test('those of the requested namespaces', async () => {
    await write({ 'a.yaml': service('a', 80, 'one') + service('b', 80, 'two') + service('c') });
    expect(await keys()).toEqual(['one/a', 'two/b', 'default/c']);
    expect(await keys({ namespaces: ['two'] })).toEqual(['two/b']);
    expect(await keys({ namespaces: ['one', 'default'] })).toEqual(['one/a', 'default/c']);
  });

  test('a Service without a namespace is in the default one', async () => {
    await write({ 'a.yaml': service('a') });
    expect(await keys({ defaultNamespace: 'team', namespaces: ['team'] })).toEqual(['team/a']);
    expect(await keys({ defaultNamespace: 'team', namespaces: ['default'] })).toEqual([]);
  });

  test('a duplicate counts once, silently if both are equal', async () => {
    await write({ 'a.yaml': service('a'), 'b.yaml': service('a') });
    expect(await read()).toMatchObject({ services: [{ name: 'a' }], problems: [] });
  });

  test('of two different ones, the first is used, and the place of the second is reported', async () => {
    await write({ 'a.yaml': service('a', 80), 'b.yaml': service('x') + service('a', 81) });
    const { services, problems } = await read();
    expect(services.find(({ name }) => name === 'a')?.ports[0]?.port).toBe(80);
    expect(problems).toHaveLength(1);
    expect(problems[0]?.where).toMatch(/b\.yaml:\d+$/);
    expect(problems[0]?.what).toContain('default/a');
  });
});

describe('follow', () => {
  /** Runs a source; `next` waits for its next change. */
  function followed(given: Partial<ManifestOptions>) {
    const changes: Change[] = [];
    let wake = (): void => {};
    const stop = new AbortController();
    const ended = manifestSource(options({ follow: { interval: 60_000 }, ...given })).run((change) => {
      changes.push(change);
      wake();
    }, stop.signal);
    const next = async (): Promise<Change> => {
      while (changes.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return changes.shift() as Change;
    };
    const services = async (): Promise<string[]> => {
      const change = await next();
      return change.kind === 'sync' ? change.services.map(displayKey) : [change.kind];
    };
    return { next, services, stop: () => stop.abort(), ended, changes };
  }

  test('notices a changed, a new and a deleted file within seconds, and stops with its signal', async () => {
    await write({ 'a.yaml': service('a') });
    const { services, stop, ended } = followed({});
    expect(await services()).toEqual(['default/a']);
    await write({ 'a.yaml': service('b') });
    expect(await services()).toEqual(['default/b']);
    await write({ 'new/c.yaml': service('c') });
    expect(await services()).toEqual(['default/b', 'default/c']);
    await rm(join(folder, 'a.yaml'));
    expect(await services()).toEqual(['default/c']);
    stop();
    await ended;
  }, 30_000);

  test('notices a file that an editor replaced', async () => {
    await write({ 'a.yaml': service('a') });
    const { services, stop, ended } = followed({ paths: [join(folder, 'a.yaml')] });
    expect(await services()).toEqual(['default/a']);
    await write({ 'other.yaml': service('b') });
    await rename(join(folder, 'other.yaml'), join(folder, 'a.yaml'));
    expect(await services()).toEqual(['default/b']);
    stop();
    await ended;
  }, 30_000);

  test('a file that disappears is a temporary failure, until it is back', async () => {
    await write({ 'a.yaml': service('a') });
    const { services, stop, ended } = followed({ paths: [join(folder, 'a.yaml')] });
    expect(await services()).toEqual(['default/a']);
    await rm(join(folder, 'a.yaml'));
    expect(await services()).toEqual(['failure']);
    await write({ 'a.yaml': service('b') });
    let seen = await services();
    while (seen[0] === 'failure') seen = await services();
    expect(seen).toEqual(['default/b']);
    stop();
    await ended;
  }, 30_000);

  test('a file with a mistake keeps its previous content, until it is fixed or gone', async () => {
    await write({ 'a.yaml': service('a') + service('b'), 'c.yaml': `${service('c')}---\nx: y: z\n` });
    const { next, services, stop, ended } = followed({});
    expect(await services()).toEqual(['default/a', 'default/b', 'default/c']);
    await write({ 'a.yaml': `${service('a')}---\nkind: Service\n  metadata: {` });
    const change = await next();
    if (change.kind !== 'sync') throw new Error(`told ${change.kind}`);
    expect(change.services.map(displayKey)).toEqual(['default/a', 'default/b', 'default/c']);
    expect(change.problems.map(({ where, fix }) => [where, fix])).toEqual([
      [`${join(folder, 'a.yaml')}:8`, 'the previous version of the file is used until it is fixed'],
      [`${join(folder, 'c.yaml')}:7`, 'this document is skipped until it is fixed'],
    ]);
    await rm(join(folder, 'a.yaml'));
    await symlink(join(folder, 'nowhere'), join(folder, 'a.yaml'));
    expect(await services()).toEqual(['default/a', 'default/b', 'default/c']);
    await rm(join(folder, 'a.yaml'));
    expect(await services()).toEqual(['default/c']);
    await write({ 'a.yaml': `${service('b')}---\nx: y: z\n` });
    expect(await services()).toEqual(['default/b', 'default/c']);
    await write({ 'a.yaml': service('d') });
    expect(await services()).toEqual(['default/d', 'default/c']);
    stop();
    await ended;
  }, 30_000);

  test('reports everything again after the interval, and nothing in between', async () => {
    await write({ 'a.yaml': service('a') });
    const { services, stop, ended, changes } = followed({ follow: { interval: 400 } });
    const start = performance.now();
    expect(await services()).toEqual(['default/a']);
    await write({ 'notes.txt': 'nothing to see' });
    expect(changes).toEqual([]);
    expect(await services()).toEqual(['default/a']);
    expect(performance.now() - start).toBeGreaterThanOrEqual(400);
    stop();
    await ended;
  });

  test('without following, and for standard input, the source ends after the full set', async () => {
    await write({ 'a.yaml': service('a') });
    for (const given of [{ follow: undefined }, { paths: ['-'], stdin: Readable.from([service('a')]) }]) {
      const { services, ended } = followed(given);
      expect(await services()).toEqual(['default/a']);
      await ended;
    }
  });
});

describe('limits on input', () => {
  const bytes = { each: 200, all: 300 };
  const padded = (name: string, size: number): string => service(name).padEnd(size, '#');

  test('a named file that is too long is an error that names the limit', async () => {
    await write({ 'a.yaml': padded('a', 201) });
    const reading = read({ paths: [join(folder, 'a.yaml')], bytes });
    await expect(reading).rejects.toThrow(/a\.yaml: it has more than 200 bytes, the limit/);
    await expect(reading).rejects.toBeInstanceOf(ConfigError);
  });

  test('in a folder, a file that is too long is skipped, and so are files beyond the total limit', async () => {
    await write({ 'a.yaml': padded('a', 200), 'b.yaml': padded('b', 201), 'c.yaml': padded('c', 101) });
    const { services, problems } = await read({ bytes });
    expect(services.map(displayKey)).toEqual(['default/a']);
    expect(problems.map(({ where, what }) => [where.slice(folder.length + 1), what])).toEqual([
      ['b.yaml', 'cannot be read: it has more than 200 bytes, the limit for a file'],
      ['c.yaml', 'cannot be read: all files together have more than 300 bytes, the limit'],
    ]);
  });

  test('endless standard input is abandoned', async () => {
    let sent = 0;
    async function* endless(): AsyncGenerator<string> {
      for (;;) {
        sent += 1;
        yield 'x'.repeat(50);
      }
    }
    await expect(read({ paths: ['-'], stdin: Readable.from(endless()), bytes })).rejects.toThrow(
      /standard input: it has more than 200 bytes/,
    );
    expect(sent).toBeLessThan(100);
  });
});
