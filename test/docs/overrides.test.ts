/** Each recipe of docs/overrides.md is read by our own parser, and changes of the demonstration's cluster what it says. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diffLines } from 'diff';
import { beforeAll, describe, expect, test } from 'vitest';
import { generateCommand } from '../../src/cli/generate.ts';
import { SMALL } from '../../src/model/yaml-document.ts';
import { checkText } from '../../src/outputs/check-text.ts';
import { cliContext } from '../fixtures/unit/cli.ts';

const root = join(import.meta.dirname, '../..');
const page = await readFile(join(root, 'docs/overrides.md'), 'utf8');

/** A block of YAML, the heading above it, and what directly follows it, if that is a difference. */
const RECIPE = /```yaml\n(?<overrides>[\s\S]*?)```\n(?:\n```diff\n(?<change>[\s\S]*?)```\n)?/g;
const recipes = [...page.matchAll(RECIPE)].map(({ index, groups }) => ({
  title:
    page
      .slice(0, index)
      .match(/^#+ (.*)$/gm)
      ?.at(-1) ?? '',
  overrides: groups?.overrides ?? '',
  change: groups?.change?.trimEnd(),
}));

/** A discovered MCP server, which the demonstration's cluster lacks. */
const MCP_SERVER = `
apiVersion: v1
kind: Service
metadata: { name: orders-mcp, namespace: shop, labels: { app: mcp-server } }
spec: { selector: { app: orders-mcp }, ports: [{ name: mcp, port: 8000 }] }
`;
const needsServer = (overrides: string): boolean => overrides.includes('shop/orders-mcp');

/** `custom_toolset.yaml` for the demonstration's cluster, and what is said beside it. */
async function generated(
  overrides: string,
  withServer = needsServer(overrides),
): Promise<{ document: string; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'overrides-'));
  const [file, server] = [join(folder, 'overrides.yaml'), join(folder, 'server.yaml')];
  await writeFile(file, overrides);
  await writeFile(server, MCP_SERVER);
  const { cli, written } = cliContext();
  const flags = {
    format: 'holmesgpt' as const,
    filename: [join(root, 'demo/cluster'), ...(withServer ? [server] : [])],
    namespace: 'monitoring,observability,shop',
    overrides: file,
  };
  expect(await generateCommand(flags, cli)).toBe(0);
  return { document: written.result, said: written.messages };
}

/** The lines that go and come, in the order in which they stand. */
function changedLines(before: string, after: string): string {
  return diffLines(before, after)
    .filter(({ added, removed }) => added || removed)
    .flatMap(({ added, value }) =>
      value
        .trimEnd()
        .split('\n')
        .map((line) => `${added ? '+' : '-'}${line}`),
    )
    .join('\n');
}

describe('the recipes of docs/overrides.md', () => {
  let plain: Awaited<ReturnType<typeof generated>>;
  beforeAll(async () => {
    plain = await generated('');
  });

  test('are found', () => {
    expect(recipes.length).toBeGreaterThan(10);
  });

  test.each(recipes)('$title', async ({ overrides, change }) => {
    expect(checkText('overrides', overrides, SMALL).faults).toEqual([]);
    const { document, said } = await generated(overrides);
    const before = needsServer(overrides) ? await generated('', true) : plain;
    expect(changedLines(before.document, document)).toBe(change);
    // A recipe may end a warning, and causes none.
    expect(before.said.split('\n')).toEqual(expect.arrayContaining(said.split('\n')));
  });
});
