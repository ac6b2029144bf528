import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { OTHER_DOCUMENTS } from '../../test/fixtures/unit/other-documents.ts';
import { discoverCommand } from './discover.ts';
import { explainCommand } from './explain.ts';

const mcp = (namespace: string, name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace, name, labels: { app: 'mcp-server' } },
  spec: { selector: { app: name }, ports: [{ name: 'mcp', port: 8000 }] },
});
const MANY = Array.from({ length: 4 }, (_, n) => mcp('evil', `m${n}`));

/** Runs a command on these Services. */
async function told(
  command: 'discover' | 'explain',
  services: readonly object[],
  settings: Readonly<Record<string, string>>,
): Promise<{ result: string; messages: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'limits-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'services.yaml');
  await writeFile(path, services.map((each) => `---\n${stringify(each)}`).join(''));
  const { cli, written } = cliContext({ env: { MCP_POLICY: 'publish', ...settings } });
  if (command === 'discover') await discoverCommand({ filename: [path], output: 'table' }, cli);
  else await explainCommand('shop/orders', { filename: [path], output: 'text' }, cli);
  return written;
}

test.each([
  ['MAX_TOOLS_PER_NAMESPACE', '1', [mcp('shop', 'a'), mcp('shop', 'orders')], 'mcp, not published: '],
  [
    'MAX_DOCUMENT_KIB',
    '16',
    [...Array.from({ length: 99 }, (_, n) => mcp('shop', `a${n}`)), mcp('shop', 'orders')],
    'mcp, not published: ',
  ],
  [
    'MAX_AGENT_TOOLS',
    '14',
    [...Array.from({ length: 6 }, (_, n) => mcp('shop', `a${n}`)), mcp('shop', 'orders'), ...MANY],
    `mcp, the tool orders.shop in ${OTHER_DOCUMENTS} only: `,
  ],
] as const)(
  '%s is shown by explain and discover, with the setting',
  async (setting, value, services, words) => {
    const settings = { MAX_TOOLS_PER_NAMESPACE: '100', MAX_SHARDS: '1', [setting]: value };
    const { result } = await told('explain', services, settings);
    expect(result).toContain(words);
    expect(result).toContain(`raise ${setting}`);
    const { messages } = await told('discover', services, settings);
    expect(messages).toMatch(new RegExp(`warning: namespace shop: .*raise ${setting}`));
  },
);

test('MAX_BACKENDS is shown by explain and discover, with who has the most', async () => {
  const services = [mcp('shop', 'a'), mcp('shop', 'orders'), ...MANY];
  const { result } = await told('explain', services, { MAX_BACKENDS: '2' });
  const why = 'the limit is 2, which namespaces share, and evil has the most, 4';
  const fix = 'raise MAX_BACKENDS (--max-backends), or search fewer namespaces';
  expect(result).toContain(`Verdict\n  left out: 6 backends were found: ${why}; ${fix}\n`);
  const { messages } = await told('discover', services, { MAX_BACKENDS: '2' });
  expect(messages).toMatch(
    new RegExp(`warning: all namespaces: 4 of 6 backends are .*: ${why}; raise MAX_BACKENDS`),
  );
  const within = await told('explain', services, { MAX_BACKENDS: '4' });
  expect(within.result).not.toContain('MAX_BACKENDS');
});

test('MAX_NAMESPACE_SERVICES is shown by explain, with the setting', async () => {
  const services = [mcp('shop', 'a'), mcp('shop', 'orders')];
  const { result } = await told('explain', services, { MAX_NAMESPACE_SERVICES: '1' });
  expect(result).toMatch(
    /Verdict\n {2}left out: .*: the limit is 1 for each namespace, .*; raise MAX_NAMESPACE_SERVICES/,
  );
});

test('tools that fit into several ConfigMaps are in toolset.json, and may be left out of the undivided file', async () => {
  const services = [...Array.from({ length: 99 }, (_, n) => mcp('shop', `a${n}`)), mcp('shop', 'orders')];
  const { result } = await told('explain', services, { MAX_DOCUMENT_KIB: '16', MAX_SHARDS: '8' });
  expect(result).toMatch(
    /mcp, the tool orders\.shop in toolset\.json.* only: .*share of the 8 KiB of custom_toolset\.yaml.*; raise MAX_DOC/,
  );
});

test('another namespace over its limit is not shown for one within it', async () => {
  const services = [mcp('shop', 'orders'), ...MANY, mcp('evil', 'm4'), mcp('evil', 'm5')];
  const { result } = await told('explain', services, { MAX_AGENT_TOOLS: '14' });
  expect(result).toContain('in the generated documents as the tool orders.shop');
  expect(result).not.toContain('MAX_AGENT_TOOLS');
});
