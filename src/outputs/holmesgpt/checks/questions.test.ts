import { describe, expect, test } from 'vitest';
import { discovered } from '../../../../test/fixtures/unit/detection.ts';
import { service } from '../../../../test/fixtures/unit/service.ts';
import { SMALL } from '../../../model/yaml-document.ts';
import { checkText } from '../../check-text.ts';
import { generate } from '../../generate.ts';
import { overridesSchema } from '../../overrides-schema.ts';
import { allNamesBut } from './approval.ts';
import { questionsOf } from './questions.ts';

const tool = (name: string, readOnly = false) => ({ name, readOnly, digest: '' });
const TOOLS = [tool('delete_order'), tool('drop_table'), tool('get_order', true)];
const KEY = 'shop/orders-mcp';

const questions = (entry: object | null, verdict = {}) =>
  questionsOf(
    KEY,
    { tools: TOOLS, ...verdict },
    { mcp_servers: { [KEY]: entry as Record<string, unknown> } },
  );
const said = (entry: object | null, verdict = {}): string[] =>
  questions(entry, verdict).problems.map(({ what, fix }) => `${what}; ${fix}`);

const UNASKED = expect.stringMatching(/the agent runs .* without asking/);

describe('a list of tools before which the agent asks', () => {
  test('that names a tool which the server does not have, is reported with the one that is meant', () => {
    expect(said({ approval_required_tools: ['delete_orders', 'drop_table'] })).toEqual([
      "approval_required_tools: delete_orders matches none of the server's tools; did you mean delete_order?",
      'with your approval_required_tools, the agent runs this tool without asking, although it may change something: delete_order; add them to the list, or remove the list, and the agent asks before every tool that is not read-only',
    ]);
    expect(said({ approval_required_tools: ['*', 'rm_*'] })).toEqual([
      'approval_required_tools: "rm_*" matches none of the server\'s tools; correct or remove it',
    ]);
  });

  test("in HolmesGPT's own ConfigMap replaces the one in overrides.yaml, and is reported, too", () => {
    const overrides = { mcp_servers: { [KEY]: { approval_required_tools: ['*'] } } };
    const verdict = { tools: TOOLS };
    const { asksBefore, asksBeforeAll, problems } = questionsOf(KEY, verdict, overrides, {
      [KEY]: ['delete_order'],
    });
    expect(TOOLS.filter(({ name }) => asksBefore(name)).map(({ name }) => name)).toEqual(['delete_order']);
    expect(asksBeforeAll).toBe(false);
    expect(problems).toEqual([
      expect.objectContaining({
        where: `HolmesGPT's own ConfigMap, mcp_servers ${KEY}`,
        what: expect.stringContaining('without asking, although it may change something: drop_table'),
      }),
    ]);
    expect(questionsOf(KEY, verdict, overrides, { other: [] }).asksBeforeAll).toBe(true);
  });

  test('that leaves out tools which may change something, is reported with a few of them', () => {
    const many = { tools: Array.from({ length: 8 }, (_, n) => tool(`put_${n}`)) };
    expect(said({ approval_required_tools: ['put_0'] }, many)).toEqual([
      expect.stringContaining(
        'runs these tools without asking, although they may change something: put_1, put_2, put_3, put_4, put_5 and 2 more',
      ),
    ]);
    for (const list of [[], null]) expect(said({ approval_required_tools: list })).toEqual([UNASKED]);
  });

  test.each([
    ['covers them', { approval_required_tools: ['d*'] }],
    ['cannot be read, and counts as all tools', { approval_required_tools: 'delete_orders' }],
    ['is what this program makes', { approval_required_tools: allNamesBut(['get_order']) }],
    ['is of a server that is switched off', { enabled: false, approval_required_tools: ['x'] }],
    ['is of a server elsewhere', { config: { url: 'http://other' }, approval_required_tools: ['x'] }],
    ['is not there', {}],
    ['is of a server that is removed', null],
  ])('is not reported if it %s', (_, entry) => expect(said(entry)).toEqual([]));

  test('is not reported while the tools are unknown, or not all known', () => {
    const list = { approval_required_tools: ['delete_orders'] };
    expect(said(list, { tools: undefined })).toEqual([]);
    expect(said(list, { toolsTruncated: true })).toEqual([]);
  });

  test('names at most a few entries without effect', () => {
    const list = Array.from({ length: 9 }, (_, n) => `x${n}`);
    expect(said({ approval_required_tools: ['*', ...list] })).toHaveLength(6);
    expect(said({ approval_required_tools: ['*', ...list] })[5]).toContain('4 other entries match none');
  });

  test('decides instead of the generated one', () => {
    const asked = (entry: object | null) => TOOLS.map(({ name }) => questions(entry).asksBefore(name));
    expect(asked({})).toEqual([true, true, false]);
    expect(asked({ approval_required_tools: ['get_*'] })).toEqual([false, false, true]);
    expect(asked({ approval_required_tools: 7 })).toEqual([true, true, true]);
    expect(asked({ approval_required_tools: null })).toEqual([false, false, false]);
    expect(questions({}, { tools: undefined }).asksBeforeAll).toBe(true);
    expect(questions({ approval_required_tools: ['x'] }, { tools: undefined }).asksBeforeAll).toBe(false);
  });

  test('is compared whenever documents are generated', () => {
    const found = discovered(
      service('orders-mcp', { namespace: 'shop', labels: { app: 'mcp-server' }, ports: ['mcp:8000'] }),
    );
    const list = { [KEY]: { approval_required_tools: ['delete_orders', 'drop_table'] } };
    const { notes } = generate([{ ...found, verdict: { ...found.verdict, tools: TOOLS } }], {
      credentials: {},
      holmesgptVersion: '0.32',
      kinds: new Map(),
      overrides: overridesSchema.parse({ holmesgpt: { mcp_servers: list } }),
    });
    expect(notes.map(({ where }) => where)).toEqual(
      Array(2).fill(`overrides.yaml, holmesgpt.mcp_servers ${KEY}`),
    );
  });
});

test('a key with a dot is refused with the key that a discovered server of that Service has', () => {
  const server = (key: string) =>
    checkText('overrides', `holmesgpt: {mcp_servers: {${key}: {enabled: false}}}`, SMALL).faults.map(
      ({ message }) => message,
    );
  expect(server('orders-mcp.shop')).toEqual([
    expect.stringMatching(/contains a dot.*; the key of that Service is shop\/orders-mcp here$/),
  ]);
  expect(server('a.b.c')).toEqual([
    expect.stringMatching(/contains a dot, which HolmesGPT rejects in any key$/),
  ]);
});

test('a key below backends with a dot says what is wrong with it', () => {
  const text = 'holmesgpt: {toolsets: {grafana/loki: {backends: {loki.shop: {verify_ssl: true}}}}}';
  expect(checkText('overrides', text, SMALL).faults.map(({ message }) => message)).toEqual([
    expect.stringContaining('contains a dot'),
  ]);
});
