import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { holmesPython } from '../../scripts/holmes-venv.ts';
import type { McpTool } from '../../src/model/discovery.ts';
import { NO_OVERRIDES } from '../../src/model/overrides.ts';
import { type GenerateOptions, generate } from '../../src/outputs/generate.ts';
import { overridesSchema } from '../../src/outputs/overrides-schema.ts';
import { discovered } from '../fixtures/unit/detection.ts';
import { service } from '../fixtures/unit/service.ts';

const found = discovered(
  service('orders', { namespace: 'shop', labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }),
);

/** HolmesGPT's file for a server that says this of its tools. */
function file(tools: readonly McpTool[] | undefined, options: Partial<GenerateOptions> = {}): string {
  const verdict = { ...found.verdict, ...(tools === undefined ? {} : { tools }) };
  const { documents } = generate([{ ...found, verdict }], {
    credentials: {},
    holmesgptVersion: '0.32',
    kinds: new Map(),
    overrides: NO_OVERRIDES,
    mcpPolicy: 'approve',
    namespaces: ['shop'],
    ...options,
  });
  return documents['custom_toolset.yaml'] ?? '';
}

const readOnly = (name: string): McpTool => ({ name, readOnly: true, digest: '' });
const FREE = ['get_order', 'list-orders', 'orders.v2/search', 'a', 'get_orders'];
const TOOLS = [...FREE.map(readOnly), { name: 'cancel_order', readOnly: false, digest: '' }];
/** Names that a server may show to HolmesGPT and not to us. */
const OTHERS = [
  ...FREE.flatMap((name) => [
    `${name}s`,
    `x${name}`,
    name.toUpperCase(),
    `${name}\n`,
    `${name} `,
    `${name}*`,
  ]),
  ...FREE.flatMap((name) => Array.from(name, (_, at) => name.slice(0, at))),
  ...FREE.flatMap((name) => Array.from(name, (_, at) => `${name.slice(0, at)}-${name.slice(at + 1)}`)),
  ...['cancel_order', 'drop_table', '*', '?', '[!a]', '!', ']', '^', '\\', 'é', '💥', 'b'],
].filter((name) => !FREE.includes(name));
const NAMES = [...new Set([...FREE, ...OTHERS])];

const approvals = overridesSchema.parse({
  holmesgpt: { mcp_servers: { 'shop/orders': { approval_required_tools: ['cancel_*'] } } },
});
const CASES = {
  listed: file(TOOLS),
  unknown: file(undefined),
  untrusted: file(TOOLS, { mcpPolicy: 'publish', namespaces: ['*'] }),
  own: file(TOOLS, { overrides: approvals }),
};

let folder: string;
let answers: Record<keyof typeof CASES, Readonly<Record<string, string>>>;
beforeAll(async () => {
  const python = await holmesPython((line) => console.error(line));
  folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-approval-'));
  const cases = await Promise.all(
    Object.entries(CASES).map(async ([name, text]) => {
      const path = join(folder, `${name}.yaml`);
      await writeFile(path, text);
      return { name: 'shop/orders', path, tools: NAMES };
    }),
  );
  const list = join(folder, 'list.json');
  await writeFile(list, JSON.stringify(cases));
  const script = join(import.meta.dirname, 'approval.py');
  const { stdout } = await promisify(execFile)(python, [script, list], {
    timeout: 180_000,
    maxBuffer: 64 * 1024 * 1024,
  });
  const results = JSON.parse(stdout) as Record<string, string>[];
  answers = Object.fromEntries(Object.keys(CASES).map((name, at) => [name, results[at]])) as typeof answers;
}, 240_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const running = (answer: Readonly<Record<string, string>>): string[] =>
  NAMES.filter((name) => answer[name] !== 'approval_required');

test('HolmesGPT runs read-only tools, and asks before all others, whatever their names', () => {
  expect(running(answers.listed)).toEqual(FREE);
  for (const name of FREE) expect(answers.listed[name]).toBe('runs');
});

test('it asks before each tool if the tools are unknown or the server is not trusted', () => {
  expect(running(answers.unknown)).toEqual([]);
  expect(running(answers.untrusted)).toEqual([]);
});

test("an operator's own list is the one that counts", () => {
  expect(NAMES.filter((name) => answers.own[name] === 'approval_required')).toEqual(
    NAMES.filter((name) => name.startsWith('cancel_')),
  );
});
