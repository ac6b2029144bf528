import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { approve } from './approve.ts';
import { NO_TOOLS_SHOWN } from './tools-shown.ts';

const SERVICE = { namespace: 'shop', name: 'orders' };
const done = (text: string, approved = true): string => {
  const result = approve(text, SERVICE, approved);
  if ('fault' in result) throw new Error(result.fault);
  return result.text;
};

/** Whether one text is another one with something added at one place, or with the value of one field replaced there. */
function isAddition(before: string, after: string): boolean {
  const plain = before.replace(/approved:( *)(true|false)/, 'approved:$1').replace('~', '');
  return [before, plain].some((text) =>
    Array.from({ length: text.length + 1 }, (_, at) => at).some(
      (at) => after.startsWith(text.slice(0, at)) && after.endsWith(text.slice(at)),
    ),
  );
}

test('tools that were approved earlier stay approved while the server shows none', () => {
  const approvedTools = `sha256:${'1'.repeat(64)}`;
  const earlier = `tools:\n  shop/orders:\n    approved: mcp\n    approvedTools: ${approvedTools}\n`;
  expect(approve(earlier, SERVICE, 'mcp', NO_TOOLS_SHOWN)).toEqual({ text: earlier });
  const other = `sha256:${'2'.repeat(64)}`;
  expect(approve(earlier, SERVICE, 'mcp', other)).toEqual({ text: earlier.replace(approvedTools, other) });
  expect(approve('', SERVICE, 'mcp', NO_TOOLS_SHOWN)).toEqual({
    text: earlier.replace(approvedTools, NO_TOOLS_SHOWN),
  });
  const without = earlier.replace(/ {4}approvedTools.*\n/, '');
  expect(approve(without, SERVICE, 'mcp', NO_TOOLS_SHOWN)).toEqual({
    text: earlier.replace(approvedTools, NO_TOOLS_SHOWN),
  });
});

describe('the text is inserted where it belongs, and nothing else moves', () => {
  test.each([
    ['nothing', '', 'tools:\n  shop/orders:\n    approved: true\n'],
    ['an empty line', '\n', '\ntools:\n  shop/orders:\n    approved: true\n'],
    [
      'a comment before other parts',
      '# ours\nholmesgpt: {}\n',
      '# ours\nholmesgpt: {}\ntools:\n  shop/orders:\n    approved: true\n',
    ],
    [
      'tools with a comment after them',
      'tools:\n  a:\n    enabled: true\n  # no more\nholmesgpt: {}\n',
      'tools:\n  a:\n    enabled: true\n  shop/orders:\n    approved: true\n  # no more\nholmesgpt: {}\n',
    ],
    ['a comment', '# ours\n', '# ours\ntools:\n  shop/orders:\n    approved: true\n'],
    [
      'tools of others',
      'tools:\n    a: # one\n        enabled: false # why\n\n# the end\nholmesgpt: {}\n',
      'tools:\n    a: # one\n        enabled: false # why\n    shop/orders:\n      approved: true\n\n# the end\nholmesgpt: {}\n',
    ],
    [
      'other parts only',
      'holmesgpt:\n  toolsets: {} # none',
      'holmesgpt:\n  toolsets: {} # none\ntools:\n  shop/orders:\n    approved: true\n',
    ],
    [
      'a tool by its older name',
      'tools:\n  orders.shop:\n    description: "x"  # mine\n',
      'tools:\n  orders.shop:\n    description: "x"  # mine\n    approved: true\n',
    ],
    [
      'a revoked approval',
      'tools:\n  shop/orders: { approved: false } # no\n',
      'tools:\n  shop/orders: { approved: true } # no\n',
    ],
    [
      'Windows line endings',
      'tools:\r\n  a:\r\n    enabled: true\r\n',
      'tools:\r\n  a:\r\n    enabled: true\r\n  shop/orders:\r\n    approved: true\r\n',
    ],
    [
      'a flow mapping',
      '{ tools: { a: { enabled: true } } }\n',
      '{ tools: { a: { enabled: true }, shop/orders: { approved: true } } }\n',
    ],
    [
      'a flow mapping with unusual spacing',
      "tools: {a:   {enabled: true,description:  'x'},  b: { } }   # mine\nholmesgpt:   {toolsets: {}}\n",
      "tools: {a:   {enabled: true,description:  'x'},  b: { }, shop/orders: { approved: true } }   # mine\nholmesgpt:   {toolsets: {}}\n",
    ],
    [
      'a flow mapping of several lines',
      'tools: {\n    a: {enabled: true}, # one\n  }\nholmesgpt: {toolsets:   {}}\n',
      'tools: {\n    a: {enabled: true}, shop/orders: { approved: true }, # one\n  }\nholmesgpt: {toolsets:   {}}\n',
    ],
    [
      'an empty flow mapping',
      'tools: {}   # none\n',
      'tools: { shop/orders: { approved: true } }   # none\n',
    ],
    ['an empty text in braces', '{}\n', '{ tools: { shop/orders: { approved: true } } }\n'],
    [
      'a tool in a flow mapping',
      'tools:\n  shop/orders:   {description: "x",enabled: true}\n  b:  {}\n',
      'tools:\n  shop/orders:   {description: "x",enabled: true, approved: true}\n  b:  {}\n',
    ],
    [
      'a revoked approval in a flow mapping',
      'tools: {shop/orders:   {approved:   false ,enabled: true}}\n',
      'tools: {shop/orders:   {approved:   true ,enabled: true}}\n',
    ],
    [
      'a text that does not end its line',
      'tools: { b: {} }',
      'tools: { b: {}, shop/orders: { approved: true } }',
    ],
    ['a space in braces', 'tools: { }\n', 'tools: { shop/orders: { approved: true } }\n'],
    ['no tools', 'tools:\n# mine\n', undefined],
    ['tools that are null', 'tools: ~ # none\n', 'tools: { shop/orders: { approved: true } } # none\n'],
    [
      'a tool without a field',
      'tools:\n  shop/orders:\n  b:   {}\n',
      'tools:\n  shop/orders:\n    approved: true\n  b:   {}\n',
    ],
  ])('%s', (_, text, expected) => {
    const result = done(text);
    if (expected !== undefined) expect(result).toBe(expected);
    expect(isAddition(text, result)).toBe(true);
    expect(parse(result).tools).toMatchObject({
      [/orders.shop:/.test(text) ? 'orders.shop' : 'shop/orders']: { approved: true },
    });
    expect(done(result)).toBe(result);
  });

  test('of both names of a tool, the one with the slash is used', () => {
    const text = 'tools:\n  orders.shop: { approved: false }\n  shop/orders: { enabled: true }\n';
    expect(done(text)).toBe(text.replace('enabled: true', 'enabled: true, approved: true'));
  });

  test('it is revoked by one word', () => {
    expect(done(done('# ours\n'), false)).toBe('# ours\ntools:\n  shop/orders:\n    approved: false\n');
  });
});

describe('the tools that were shown', () => {
  const SHOWN = `sha256:${'1'.repeat(64)}`;
  const OTHER = `sha256:${'2'.repeat(64)}`;
  const shown = (text: string, tools?: string): unknown => approve(text, SERVICE, 'mcp', tools);

  test.each([
    ['', `tools:\n  shop/orders:\n    approved: mcp\n    approvedTools: ${SHOWN}\n`],
    [
      `tools:\n  shop/orders:\n    approvedTools: ${OTHER} # old\n    approved: false\n  # next\n  a: {}\n`,
      `tools:\n  shop/orders:\n    approvedTools: ${SHOWN} # old\n    approved: mcp\n  # next\n  a: {}\n`,
    ],
    [
      'tools: { shop/orders: { approved: true } } # mine\n',
      `tools: { shop/orders: { approved: mcp, approvedTools: ${SHOWN} } } # mine\n`,
    ],
  ])('are written next to the approval: %j', (text, expected) => {
    expect(shown(text, SHOWN)).toEqual({ text: expected });
  });

  test('must be written with the approval if the text cannot be changed', () => {
    expect(shown('tools: 5\n', SHOWN)).toEqual({
      fault: expect.stringContaining(`tools: {shop/orders: {approved: mcp, approvedTools: ${SHOWN}}}`),
    });
  });

  test('stay if none are shown now', () => {
    const text = `tools:\n  shop/orders:\n    approved: false\n    approvedTools: ${SHOWN}\n`;
    expect(shown(text)).toEqual({ text: text.replace('false', 'mcp') });
  });
});

test('an existing approval is left as it is, even if it is shared', () => {
  const text = 'tools:\n  x: &a { approved: true }\n  shop/orders: *a\n';
  expect(done(text)).toBe(text);
});

test('valid overrides may have many aliases, also in what aliases stand for', () => {
  const uses = (count: number, name: string, value: string): string[] =>
    Array.from({ length: count }, (_, index) => `  ${name}${index}: ${value}`);
  const text = [
    'tools:',
    '  a: { metadata: &team { team: a } }',
    ...uses(20, 'b', '{ metadata: *team }'),
    '  c: &c { enabled: true, metadata: *team }',
    ...uses(6, 'd', '*c'),
    '',
  ].join('\n');
  expect(done(text)).toBe(`${text}  shop/orders:\n    approved: true\n`);
});

test.each([
  ['a mapping that others share', 'tools:\n  shop/orders: &a { enabled: true }\n  shop/other: *a\n'],
  ['an alias', 'tools:\n  x: &a { enabled: true }\n  shop/orders: *a\n'],
  ['no mapping', 'tools: 5\n'],
  ['no text of overrides', '5\n'],
  ['a tool that is not a mapping', 'tools:\n  shop/orders: 5\n'],
  ['an approval that others share', 'tools:\n  a: { approved: &a false }\n  shop/orders: { approved: *a }\n'],
  ['an approval without a value', 'tools:\n  shop/orders:\n    approved:\n'],
  ['a mapping that does not begin its line', '? tools\n: ? a\n  : {}\n'],
  ['a comment in empty braces', 'tools: { # mine\n  }\n'],
  ['nothing in braces after a comma', 'tools: { a: {}, shop/orders: }\n'],
  ['a tool in braces without a value', 'tools: { a: {}, b }\n'],
  ['a list', '- tools\n'],
  ['tools that are a list', 'tools: [a]\n'],
  ['a key that is a list', 'tools:\n  ? [a]\n  : {}\n'],
])('%s is not changed, and the fault says what to write', (_, text) => {
  expect(approve(text, SERVICE, true)).toEqual({
    fault: expect.stringContaining('tools: {shop/orders: {approved: true}}'),
  });
});

const name = fc.constantFrom('a', 'b/c', 'loki.monitoring', 'shop/orders', 'orders.shop');
const tool = fc.record(
  {
    enabled: fc.boolean(),
    approved: fc.boolean(),
    description: fc.constantFrom('plain', '# no comment', 'two\nlines\n', ' odd ', "it's"),
    metadata: fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('1', '', '#')),
  },
  { requiredKeys: [] },
);
const content = fc.record(
  {
    tools: fc.dictionary(name, tool, { maxKeys: 4 }),
    holmesgpt: fc.constant({ toolsets: { loki: { config: { list: ['a', { b: 1 }], none: null } } } }),
  },
  { requiredKeys: [] },
);

test('everything that an operator wrote is still there afterwards', () => {
  fc.assert(
    fc.property(
      content,
      fc.array(fc.nat({ max: 40 }), { maxLength: 4 }),
      fc.constantFrom(2, 4),
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      (value, places, indent, windows, approved, flow) => {
        const lines = stringify(value, { indent, lineWidth: 0, blockQuote: false }).split('\n');
        for (const [number, place] of places.entries())
          lines.splice(place % (lines.length + 1), 0, `# comment ${number}`);
        const block = lines.join(windows ? '\r\n' : '\n');
        const text = flow ? `${JSON.stringify(value)} # mine` : block;
        const result = done(text, approved);
        const { tools = {}, ...rest } = parse(text) ?? {};
        const key =
          Object.hasOwn(tools, 'orders.shop') && !Object.hasOwn(tools, 'shop/orders')
            ? 'orders.shop'
            : 'shop/orders';
        expect(parse(result)).toEqual({ ...rest, tools: { ...tools, [key]: { ...tools[key], approved } } });
        if (!flow) for (const [number] of places.entries()) expect(result).toContain(`# comment ${number}`);
        if (tools?.[key]?.approved === undefined) expect(isAddition(text, result)).toBe(true);
        expect(Object.keys(parse(result).tools).filter((each) => each !== key)).toEqual(
          Object.keys(tools).filter((each) => each !== key),
        );
        if (windows) expect(result.replaceAll('\r\n', '')).not.toContain('\n');
      },
    ),
    { numRuns: 500 },
  );
});
