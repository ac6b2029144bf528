import { describe, expect, test } from 'vitest';
import { manyLines, promptCost, toolCount, toolLines, toolsInShort, unknownTools } from './tool-list.ts';

const tool = (name: string, readOnly = false) => ({ name, readOnly, digest: '' });
const many = (count: number) => Array.from({ length: count }, (_, n) => tool(`t${n}`));

describe('a summary of tools', () => {
  test.each([
    ['not known', {}, ''],
    ['none', { tools: [] }, 'no tools'],
    ['one', { tools: [tool('get', true)] }, '1 tool: get (read-only)'],
    ['many', { tools: many(417) }, '417 tools, the first 5 by name: t0, t1, t2, t3, t4'],
    [
      'a list cut short',
      { tools: many(2), toolsTruncated: true },
      'more than 2 tools, the first 2 by name: t0, t1',
    ],
    ['a list too large at once', { tools: [], toolsTruncated: true }, 'more than 0 tools'],
    [
      'names like our own words',
      { tools: [tool('x (read-only)'), tool('and 412 more'), tool('a, b'), tool(''), tool('"')] },
      '5 tools: "x (read-only)", "and 412 more", "a, b", "", "\\""',
    ],
  ])('%s', (_, verdict, expected) => {
    expect(toolsInShort(verdict)).toBe(expected);
  });
});

test.each<[string, readonly (number | undefined)[], string | undefined]>([
  ['of all tools together', [4_000, 9_480, undefined], 'about 3,400 tokens of each prompt'],
  ['of few', [48], 'about 12 tokens of each prompt'],
  ['of an unknown size', [undefined], undefined],
  ['of none', [], undefined],
])('the part of the prompt %s is told to two digits', (_, sizes, expected) => {
  const tools = sizes.map((characters) => ({
    ...tool('a'),
    ...(characters === undefined ? {} : { characters }),
  }));
  expect(promptCost({ tools })).toBe(expected);
  expect(promptCost({})).toBeUndefined();
});

test('it is said why the agent asks before read-only tools, too, if there are any', () => {
  const why = 'it is published only because MCP_POLICY is publish';
  const tools = [tool('drop'), tool('get', true)];
  expect(toolLines({ tools }, 9, true, why)).toEqual([
    `(the agent asks before each tool, also the read-only ones: ${why})`,
    'may change    drop',
    'read-only     get',
  ]);
  expect(toolLines({ tools: tools.slice(0, 1) }, 9, true, why)).toEqual(['may change    drop']);
  // The one that is not shown counts.
  expect(toolLines({ tools }, 1, true, why)[0]).toContain(why);
});

test('it is said of each tool whether the agent asks before it, where that is known', () => {
  const asking = { asksBefore: (name: string) => name === 'drop', asksBeforeAll: false };
  const tools = [tool('drop'), tool('get', true), tool('put')];
  expect(toolLines({ tools, toolsTruncated: true }, 9, true, undefined, asking)).toEqual([
    'may change, asked first   drop',
    'read-only,  runs unasked  get',
    'may change, runs unasked  put',
    '(the list was not read whole; the agent asks before those that your approval_required_tools match, and the server counts as more tools than MAX_AGENT_TOOLS)',
  ]);
});

test('tools that are all shown are not called the first ones', () => {
  expect(toolLines({ tools: many(2) }, 2, true)).toEqual(['may change    t0', 'may change    t1']);
});

test('each tool has a line, and no name can imitate another line', () => {
  expect(
    toolLines({ tools: [tool('drop'), tool('get', true), tool('(the first 1 of 9)')] }, 9, true),
  ).toEqual(['may change    drop', 'read-only     get', 'may change    "(the first 1 of 9)"']);
});

test('a line is divided between words, and only on a terminal', () => {
  const text = `${'word '.repeat(14)}${'x'.repeat(70)} end`;
  const lines = (isTerminal: boolean) =>
    toolLines({ tools: [{ ...tool('a'), texts: [text] }] }, 9, isTerminal)
      .slice(1)
      .map((line) => line.replace('              | ', ''));
  expect(lines(true)).toEqual([
    'word '.repeat(12),
    'word '.repeat(2),
    'x'.repeat(60),
    `${'x'.repeat(10)} end`,
  ]);
  expect(lines(true).join('')).toBe(text);
  expect(lines(false)).toEqual([text]);
  expect(toolLines({ tools: [tool('n'.repeat(99))] }, 9, false)).toEqual([`may change    ${'n'.repeat(99)}`]);
});

test('no line of a text is so long that a terminal wraps it, or pushes others off the screen', () => {
  const lines = (text: string) => toolLines({ tools: [{ ...tool('a'), texts: [text] }] }, 9, true).slice(1);
  expect(lines('x'.repeat(150))).toEqual([60, 60, 30].map((count) => `              | ${'x'.repeat(count)}`));
  expect(lines('字'.repeat(31))).toEqual([30, 1].map((count) => `              | ${'字'.repeat(count)}`));
  expect(lines(`a${' '.repeat(9_999)}b`)).toEqual([`              | a${' '.repeat(32)}b`]);
  expect(lines('\t\t\t')).toEqual([]);
  const long = { ...tool(`${'n'.repeat(60)}${'m'.repeat(9)}`), texts: ['What it does'] };
  expect(toolLines({ tools: [long] }, 9, true)).toEqual([
    `may change    ${'n'.repeat(60)}…`,
    `              | ${'n'.repeat(60)}`,
    `              | ${'m'.repeat(9)}`,
    '              | What it does',
  ]);
});

test('the texts of a tool follow it, complete, and none can imitate another line', () => {
  const told = {
    ...tool('get', true),
    texts: [
      'One.\r\n\n may change    drop',
      `id: a\u2003b\u2800\u001b[8m\u{e0041}\u2028read-only  x${'y'.repeat(70)}`,
    ],
  };
  expect(toolLines({ tools: [told, tool('put\u200b')] }, 9, true)).toEqual([
    'read-only     get',
    '              | One.',
    '              |  may change    drop',
    '              | id: a\\u{2003}b\\u{2800}\\u{1b}[8m\\u{e0041}',
    '              | read-only  ',
    `              | x${'y'.repeat(59)}`,
    `              | ${'y'.repeat(11)}`,
    'may change    "put\\u{200b}"',
  ]);
});

test('many lines are counted, with the tool that has most of them; few are not', () => {
  const texts = (count: number) => [Array.from({ length: count }, () => 'x').join('\n')];
  const tools = [tool('a'), { ...tool('b c'), texts: texts(150) }, { ...tool('d'), texts: texts(48) }];
  expect(manyLines({ tools: tools.slice(0, 2) }, 9)).toBeUndefined();
  expect(manyLines({ tools }, 9)).toBe('201 lines, 151 of them of "b c"');
  expect(manyLines({ tools }, 2)).toBeUndefined();
  expect(manyLines({}, 9)).toBeUndefined();
  expect(manyLines({ tools: [{ ...tool('a'), texts: texts(199) }] }, 9)).toBeUndefined();
});

test('lines are counted as on a terminal, and the first of the tools with most of them is named', () => {
  const texts = ['x'.repeat(60 * 2_000)];
  const tools = [
    { ...tool('a'), texts },
    { ...tool('b'), texts },
  ];
  expect(manyLines({ tools }, 9)).toBe('4,002 lines, 2,001 of them of a');
});

test('incomplete lists are marked, and it is said why', () => {
  const toolsGap = 'it has more than 8 pages';
  const lines = toolLines({ tools: many(3), toolsTruncated: true, toolsGap }, 2, true);
  expect(lines.slice(0, 2)).toEqual(['may change    t0', 'may change    t1']);
  expect(lines[2]).toBe('(the first 2 of 3 by name; -o json shows all that were read)');
  expect(lines[3]).toMatch(
    /not read whole: it has more than 8 pages; .*asks before each tool.*MAX_AGENT_TOOLS/,
  );
  expect(toolCount({ tools: many(3), toolsTruncated: true })).toBe('more than 3 tools');
});

test('unknown tools are named with the cause', () => {
  expect(unknownTools({ toolsGap: 'page 2 of its list got status 500' })).toBe(
    'its tools are unknown: page 2 of its list got status 500; the agent asks before each of them',
  );
  expect(unknownTools({})).toBe('its tools are unknown; the agent asks before each of them');
});
