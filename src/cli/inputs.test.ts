import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { ConfigError } from '../model/errors.ts';
import { createProgram } from './program.ts';

const MIB = 1024 * 1024;

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inputs-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  path = join(folder, 'file');
  await writeFile(join(folder, 'services.yaml'), '');
});

/** Runs a command line, where FILE and SERVICES are the file to test and a file without Services. */
async function run(line: string, file: string, signal = new AbortController().signal): Promise<void> {
  const { cli } = cliContext({ signal });
  const words = { FILE: file, SERVICES: join(folder, 'services.yaml') };
  const args = line.split(' ').map((word) => words[word as keyof typeof words] ?? word);
  await createProgram(cli, () => {}).parseAsync(args, { from: 'user' });
}

describe.each([
  ['generate -f FILE', 'divide it into several files', '-f takes files, folders, or - for standard input'],
  ['generate -f SERVICES --overrides FILE', 'choose another file with --overrides'],
  ['generate -f SERVICES --config FILE', 'choose another file with --config'],
  ['approve shop/orders --dry-run --file FILE', 'choose another file with --file'],
  ['validate --kind overrides FILE', 'name files, or - for standard input'],
])('%s', (line, fix, other = fix) => {
  const isFolderFine = line === 'generate -f FILE';
  // For validate, what is wrong with the content is a result.
  const isResult = line.startsWith('validate');

  test.skipIf(isResult)('reads at most 16 MiB of a file', async () => {
    await writeFile(path, '#'.repeat(16 * MIB + 1));
    const running = run(line, path);
    await expect(running).rejects.toBeInstanceOf(ConfigError);
    await expect(running).rejects.toThrow(`${path}: it has more than 16 MiB, the limit for a file; ${fix}`);
  });

  test.skipIf(isResult)('names only what to do with a file that is not UTF-8', async () => {
    await writeFile(path, Buffer.from('a: 1\n# gr\xfcn\n', 'latin1'));
    const running = run(line, path);
    await expect(running).rejects.toBeInstanceOf(ConfigError);
    await expect(running).rejects.toThrow(`${path}: it is not UTF-8 in line 2, column 5; save it as UTF-8`);
    await expect(running).rejects.not.toThrow(other);
  });

  test.skipIf(isResult)('reads at most 16 MiB of a device without an end', async () => {
    const running = run(line, '/dev/zero');
    await expect(running).rejects.toBeInstanceOf(ConfigError);
    await expect(running).rejects.toThrow(`/dev/zero: it has more than 16 MiB, the limit for a file; ${fix}`);
  });

  test('waits for the writer of a FIFO until the signal', async () => {
    execFileSync('mkfifo', [path]);
    const stop = new AbortController();
    const running = run(line, path, stop.signal);
    const reason = new Error('stopped');
    setTimeout(() => stop.abort(reason), 50);
    await expect(running).rejects.toSatisfy((error) => error === reason || error.name === 'AbortError');
  });

  test('reads a FIFO to its end', async () => {
    execFileSync('mkfifo', [path]);
    const running = run(line, path);
    await writeFile(path, '{}\n');
    await expect(running).resolves.toBeUndefined();
  });

  test.skipIf(isFolderFine)('refuses a folder', async () => {
    await expect(run(line, folder)).rejects.toThrow(`${folder}: it is a folder; ${other}`);
  });

  test('names a file that is not there', async () => {
    const running = run(line, path);
    if (line.startsWith('approve')) await expect(running).resolves.toBeUndefined();
    else await expect(running).rejects.toThrow(`${path}: there is no such file; ${other}`);
  });
});

test.each(['/dev/zero', 'fifo'])('approve does not edit %s', async (name) => {
  const file = name === 'fifo' ? path : name;
  if (name === 'fifo') execFileSync('mkfifo', [path]);
  await expect(run('approve shop/orders --file FILE', file)).rejects.toThrow(
    `${file} is a FIFO or a device, which cannot be edited; use --file - for standard input and output`,
  );
});

test('approve leaves a file that it cannot read as it is', async () => {
  const text = '#'.repeat(17 * MIB);
  await writeFile(path, text);
  await expect(run('approve shop/orders --file FILE', path)).rejects.toBeInstanceOf(ConfigError);
  expect((await readFile(path, 'utf8')) === text).toBe(true);
});

test('a FIFO in a folder of manifests or detectors does not hold up the others', async () => {
  execFileSync('mkfifo', [join(folder, 'a.yaml')]);
  await run('generate -f FILE', folder);
  await run('generate -f SERVICES --detectors FILE', folder);
});
