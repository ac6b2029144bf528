import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import type { CliContext } from './cli-context.ts';
import { discoverCommand } from './discover.ts';
import { explainCommand } from './explain.ts';
import { generateCommand } from './generate.ts';
import type { InputFlags } from './input-flags.ts';

const SERVER = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'shop', name: 'orders', labels: { app: 'mcp-server' } },
  spec: { selector: { app: 'orders' }, ports: [{ name: 'mcp', port: 8000 }] },
};
const IN_PLACE = 'set approved: mcp for shop/orders under tools in overrides.yaml';
const IN_FILE = 'dynamic-toolset approve shop/orders --type mcp --file';

/** What a command says of an MCP server in manifests. */
async function told(run: (flags: InputFlags, cli: CliContext, folder: string) => Promise<unknown>) {
  const folder = await mkdtemp(join(tmpdir(), 'approve-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'services.json');
  await writeFile(path, JSON.stringify(SERVER));
  await writeFile(join(folder, 'mine.yaml'), '');
  const { cli, written } = cliContext({ env: { NAMESPACES: '*' } });
  await run({ filename: [path] }, cli, folder);
  const text = `${written.result}${written.messages}`;
  expect(text).not.toMatch(/dynamic-toolset approve shop\/orders(?! --type mcp --file)/);
  return text.replaceAll(folder, 'FOLDER');
}

test('what approves a Service of manifests is where their overrides are, and not in a cluster', async () => {
  expect(
    await told((flags, cli) => explainCommand('shop/orders', { ...flags, output: 'text' }, cli)),
  ).toContain(IN_PLACE);
  expect(await told((flags, cli) => discoverCommand({ ...flags, output: 'json' }, cli))).toContain(IN_PLACE);
  const generate = { format: 'holmesgpt' as const };
  expect(await told((flags, cli) => generateCommand({ ...flags, ...generate }, cli))).toContain(
    `${IN_FILE} overrides.yaml, and give that file with --overrides overrides.yaml`,
  );
  expect(
    await told((flags, cli, folder) =>
      generateCommand({ ...flags, ...generate, overrides: join(folder, 'mine.yaml') }, cli),
    ),
  ).toContain(`${IN_FILE} FOLDER/mine.yaml\n`);
});
