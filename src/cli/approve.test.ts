import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { type ApproveFlags, approveCommand } from './approve.ts';

/** Runs `approve` on a file with this text, or on standard input for `-`. */
async function approving(services: readonly string[], text: string, flags: ApproveFlags = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'approve-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'overrides.yaml');
  await writeFile(path, text);
  const written = { result: '', messages: '' };
  const sink = (name: keyof typeof written) =>
    new Writable({
      write(chunk, _, done) {
        written[name] += String(chunk);
        done();
      },
    });
  const code = await approveCommand(
    services,
    { file: path, ...flags },
    {
      env: {},
      version: '0.0.0',
      stdin: Readable.from([text]),
      output: { result: sink('result'), messages: sink('messages') },
      signal: AbortSignal.timeout(10_000),
    },
  );
  return { code, ...written, file: await readFile(path, 'utf8') };
}

const BOTH = 'tools:\n  shop/orders:\n    approved: true\n  shop/other:\n    approved: true\n';

test('a file is edited, for several Services at once', async () => {
  const done = await approving(['shop/orders', 'shop/other'], '# ours\n');
  expect(done).toMatchObject({ code: 0, file: `# ours\n${BOTH}`, result: '' });
  expect(done.messages).toMatch(/^shop\/orders, shop\/other are approved in .*overrides\.yaml\.\n/);
  expect(done.messages).toContain('any type is approved; use --type mcp');
});

test('an approval names the type that it is for', async () => {
  const done = await approving(['shop/orders'], 'tools:\n  shop/orders:\n    approved: true # ours\n', {
    type: 'mcp',
  });
  expect(done.file).toBe('tools:\n  shop/orders:\n    approved: mcp # ours\n');
  expect(done.messages).toMatch(/^shop\/orders \(as mcp\) is approved in [^\n]*\n$/);
});

test('- reads standard input and writes standard output', async () => {
  expect(await approving(['shop/orders', 'shop/other'], '', { file: '-' })).toMatchObject({
    code: 0,
    result: BOTH,
  });
});

test('a dry run shows the difference and writes nothing', async () => {
  const { file, result } = await approving(['shop/orders'], '# ours\n', { dryRun: true });
  expect(file).toBe('# ours\n');
  expect(result).toContain('+    approved: true\n');
});

test('an existing approval is not changed', async () => {
  const { file, messages } = await approving(['shop/orders'], BOTH);
  expect([file, messages]).toEqual([BOTH, expect.stringContaining('already')]);
});

test('an approval is revoked', async () => {
  const { file } = await approving(['shop/orders'], BOTH, { revoke: true });
  expect(file).toBe(BOTH.replace('true', 'false'));
});

test('invalid overrides are not changed', async () => {
  await expect(approving(['shop/orders'], 'toolz: {}\n')).rejects.toThrow(
    /cannot be used: line 1.*correct it first/,
  );
});

test('an argument that names no Service is rejected, with an example', async () => {
  await expect(approving(['orders'], '')).rejects.toThrow(/write <namespace>\/<service>/);
});

test.each(['shop/*', 'Shop/My_Svc', 'shop/a\nholmesgpt: {}', 'shop/a b'])(
  'an approval is for one Service, and never for a pattern: %j',
  async (name) => {
    await expect(approving([name], 'tools: {}\n')).rejects.toThrow(
      /is not the name of a namespace or Service/,
    );
  },
);
