import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { discovered } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { serviceKey } from '../model/service.ts';
import { beyondBytes, byPrecedence, LIMITS, withinCounts } from './budget.ts';
import { discoveredTool, type Tool } from './tools.ts';

const LOKI = discoveredTool(discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] })));

/** The tool of a Service, given as `namespace/name`. */
function tool(key: string, fields: Partial<Tool> = {}): Tool {
  const [namespace = '', name = ''] = key.split('/');
  return { ...LOKI, key, namespace, members: [serviceKey({ cluster: '', namespace, name })], ...fields };
}

const tools = (namespace: string, count: number, fields: Partial<Tool> = {}): Tool[] =>
  Array.from({ length: count }, (_, n) => tool(`${namespace}/s${n}`, fields));
const keys = (of: Iterable<Tool>): string[] => [...of].map(({ key }) => key);

test('the limits match the documentation', () => {
  expect(LIMITS).toEqual({
    maxToolsPerNamespace: 100,
    maxDocumentKib: 900,
    maxShards: 1,
    maxDescriptionBytes: 16_384,
    maxDescriptionBytesPerNamespace: 4_096,
    maxAgentTools: 128,
  });
});

describe('precedence if there is not enough room', () => {
  const NEW = { created: '2026-02-01T00:00:00Z' };
  const OLD = { created: '2026-01-01T00:00:00Z' };
  const order = (all: readonly Tool[], published: readonly Tool[] = []): string[] =>
    keys(
      byPrecedence(all, new Map(published.flatMap(({ members }) => members.map((key) => [key, { at: 0 }])))),
    );

  test('older Services come before newer ones, and unknown age comes last', () => {
    const all = [tool('a/ageless', { created: undefined }), tool('a/new', NEW), tool('a/old', OLD)];
    expect(order(all)).toEqual(['a/old', 'a/new', 'a/ageless']);
  });

  test('a published tool comes before all unpublished ones, however old they are', () => {
    const published = tool('a/new', NEW);
    expect(order([tool('a/old', OLD), published], [published])).toEqual(['a/new', 'a/old']);
  });

  test('a tool that is published through another Service of its backend keeps its place', () => {
    const now = tool('a/gateway', NEW);
    const before = tool('a/querier');
    const moved = { ...now, members: [...now.members, ...before.members] };
    expect(order([tool('a/old', OLD), moved], [before])).toEqual(['a/gateway', 'a/old']);
  });

  test('the order does not depend on the input order, and no tool is lost', () => {
    const any = fc.record({ name: fc.constantFrom(...'abcdef'), created: fc.constantFrom(OLD, NEW) });
    const all = fc.uniqueArray(any, { selector: ({ name }) => name });
    fc.assert(
      fc.property(all, fc.nat(), (services, turn) => {
        const given = services.map(({ name, created }) => tool(`a/${name}`, created));
        const turned = given.map((_, at) => given[(at + turn) % given.length] as Tool);
        expect(order(turned)).toEqual(order(given));
        expect(order(given).sort()).toEqual(keys(given).sort());
      }),
    );
  });
});

describe('tools of one namespace', () => {
  const limits = { ...LIMITS, maxToolsPerNamespace: 2 };

  test('beyond the limit are left out, and one line names the limit, the namespace and the setting', () => {
    const result = withinCounts([...tools('noisy', 3), ...tools('quiet', 2)], limits);
    expect(keys(result.tools)).toEqual(['noisy/s0', 'noisy/s1', 'quiet/s0', 'quiet/s1']);
    const setting = 'MAX_TOOLS_PER_NAMESPACE (--max-tools-per-namespace)';
    expect(result.cuts).toEqual([
      {
        limit: 'namespace_tools',
        key: 'noisy/s2',
        why: `namespace noisy has 3 tools, and the limit is 2; raise ${setting}`,
      },
    ]);
    expect(result.notes).toEqual([
      {
        where: 'namespace noisy',
        what: 'has 3 tools, and the limit is 2: 1 backend was found, but is not published (noisy/s2); those that came into use first stay',
        fix: `raise ${setting}, or keep Services out with the annotation kubernaut.io/toolset: "false"`,
      },
    ]);
  });

  test.each([
    [5, '3 backends were found, but are not published (noisy/s2, noisy/s3, noisy/s4);'],
    [6, '4 backends were found, but are not published (noisy/s2, noisy/s3, noisy/s4, …);'],
  ])('of %s, the first three omitted ones are named', (count, what) => {
    const { notes, cuts } = withinCounts(tools('noisy', count), limits);
    expect(notes.map((note) => note.what)).toEqual([expect.stringContaining(what)]);
    expect(cuts).toHaveLength(count - 2);
  });

  test('tools that an operator added or changed are neither counted nor left out', () => {
    const mine = tools('noisy', 3, { pinned: true });
    const theirs = [tool('noisy/x'), tool('noisy/y'), tool('noisy/z')];
    const { tools: kept, notes } = withinCounts([...mine, ...theirs], limits);
    expect(keys(kept)).toEqual([...keys(mine), 'noisy/x', 'noisy/y']);
    expect(notes[0]?.what).toMatch(/^has 3 tools, and the limit is 2: 1 backend /);
  });

  test('equal namespaces in two clusters are separate', () => {
    const east = tools('noisy', 2, { cluster: 'east' });
    expect(withinCounts([...tools('noisy', 2), ...east], limits).notes).toEqual([]);
  });
});

describe('descriptions from annotations', () => {
  const limits = { ...LIMITS, maxDescriptionBytes: 25, maxDescriptionBytesPerNamespace: 20 };
  const saying = (text: string): Partial<Tool> => ({ description: text, tenantDescription: true });

  test("beyond the share of their namespace are replaced by the detector's, and the tool stays", () => {
    const all = [...tools('a', 3, saying('ten bytes!')), tool('b/s', saying('five.'))];
    const { tools: kept, cuts, notes } = withinCounts(all, limits);
    expect(kept).toEqual([
      ...all.slice(0, 2),
      { ...all[2], description: LOKI.kind, tenantDescription: false },
      all[3],
    ]);
    expect(cuts).toEqual([
      {
        limit: 'description_bytes',
        key: 'a/s2',
        why: expect.stringMatching(
          /^namespace a has more bytes .* \(at most 20, and 25 of all namespaces\); raise MAX_DESC/,
        ),
      },
    ]);
    expect(notes[0]?.what).toContain(
      "1 backend is published with the detector's description instead of their owners' (a/s2);",
    );
  });

  test('count in bytes, and only those from annotations do', () => {
    const umlauts = tools('a', 2, saying('äöüäöü'));
    expect(withinCounts(umlauts, limits).cuts.map(({ key }) => key)).toEqual(['a/s1']);
    const detectors = tools('a', 5, { description: 'ten bytes!', tenantDescription: false });
    expect(withinCounts(detectors, limits).tools).toEqual(detectors);
  });

  test('of an omitted tool do not count', () => {
    const all = [
      tool('a/s0', saying('ten bytes!')),
      tool('a/s1', saying('ten bytes!')),
      tool('a/s2', saying('x')),
    ];
    const { cuts } = withinCounts(all, { ...limits, maxToolsPerNamespace: 2 });
    expect(cuts.map(({ limit, key }) => [limit, key])).toEqual([['namespace_tools', 'a/s2']]);
  });

  test('both limits are reported if both are reached', () => {
    const all = tools('a', 4, saying('ten bytes!'));
    const { cuts, notes } = withinCounts(all, { ...limits, maxToolsPerNamespace: 3 });
    expect(cuts.map(({ limit, key }) => [limit, key])).toEqual([
      ['namespace_tools', 'a/s3'],
      ['description_bytes', 'a/s2'],
    ]);
    expect(notes).toHaveLength(2);
  });
});

describe('bytes of documents', () => {
  const beyond = (all: readonly Tool[], most: number, size = 10): string[] =>
    keys(beyondBytes(all, new Map(all.map((each) => [each, size])), most));

  test.each([
    [40, []],
    [39, ['a/s3']],
    [20, ['a/s2', 'a/s3']],
    [0, ['a/s0', 'a/s1', 'a/s2', 'a/s3']],
  ])('of four tools of 10 bytes, those beyond %s do not fit', (most, expected) => {
    expect(beyond(tools('a', 4), most)).toEqual(expected);
  });

  test('a namespace with few keeps them when another one has many', () => {
    expect(beyond([...tools('noisy', 4), ...tools('quiet', 1)], 30)).toEqual(['noisy/s2', 'noisy/s3']);
  });

  test("operators' tools are never left out, and get room first", () => {
    const mine = tools('mine', 2, { pinned: true });
    expect(beyond([...tools('a', 2), ...mine], 30)).toEqual(['a/s1']);
    expect(beyond(mine, 10)).toEqual([]);
  });

  test('a tool without size always fits', () => {
    expect(keys(beyondBytes(tools('a', 2), new Map(), 0))).toEqual([]);
  });
});
