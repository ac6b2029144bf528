import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_OVERRIDES } from '../../../model/overrides.ts';
import { overridesSchema } from '../../overrides-schema.ts';
import { allNamesBut, approvalRequired, exceptionsIn, whyAsksBeforeEach } from './approval.ts';

/** Python's `fnmatch` for the globs that are made here: `*`, `?`, `[!…]` and plain characters. */
function matches(glob: string, text: string): boolean {
  const source = glob.replace(/\[!([^\]]*)\]|[*?]|[^[\]*?]/g, (part, set: string | undefined) => {
    if (part === '*') return '[^]*';
    if (part === '?') return '[^]';
    if (set === undefined) return part.replace(/[.\\+^$(){}|/]/, '\\$&');
    return `[^${set.replace(/[\\\]^-]/g, '\\$&')}]`;
  });
  return new RegExp(`^${source}$`, 'u').test(text);
}

const needsApproval = (globs: readonly string[], name: string): boolean =>
  globs.some((glob) => matches(glob, name));

const plain = fc.string({ unit: fc.constantFrom(...'ab_-./Z9'), minLength: 1, maxLength: 5 });

describe('globs for all names except some', () => {
  test('match each other name, and none of those', () => {
    fc.assert(
      fc.property(fc.uniqueArray(plain, { maxLength: 6 }), fc.array(plain), (names, others) => {
        const globs = allNamesBut(names);
        for (const name of names) expect(needsApproval(globs, name)).toBe(false);
        for (const other of [
          ...others,
          ...names.flatMap((name) => [`${name}x`, `x${name}`, name.slice(0, -1)]),
        ])
          if (!names.includes(other)) expect(needsApproval(globs, other)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('match names that only a hostile server has', () => {
    const globs = allNamesBut(['list_orders', 'list-orders', 'get.order']);
    for (const name of [
      '',
      ' ',
      '*',
      '[!a]',
      'list_orders\n',
      'list_order',
      'LIST_ORDERS',
      'list_orders ',
      '💥',
      'list_ordérs',
    ])
      expect([name, needsApproval(globs, name)]).toEqual([name, true]);
  });
});

describe('the names that globs leave out', () => {
  test('are those that they were made for', () => {
    fc.assert(
      fc.property(fc.uniqueArray(plain, { minLength: 1, maxLength: 6 }), (names) => {
        expect(exceptionsIn(allNamesBut(names))?.toSorted()).toEqual(names.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  test('are none if all need approval, and unknown for what people write', () => {
    expect(exceptionsIn(['*'])).toEqual([]);
    expect(exceptionsIn(['delete_*'])).toBeUndefined();
    expect(exceptionsIn([])).toBeUndefined();
    expect(exceptionsIn([...allNamesBut(['get']), 'set'])).toBeUndefined();
  });
});

const tool = (name: string, readOnly = true) => ({ name, readOnly, digest: '' });

describe('approval is required', () => {
  test.each([
    ['the tools are not known', {}],
    ['there are more than were read', { tools: [tool('get')], toolsTruncated: true }],
    ['none is read-only', { tools: [tool('get', false)] }],
    ['there are none', { tools: [] }],
    ...['', ' ', '*', '[!a]*', 'a b', 'get\n', 'gét', 'x'.repeat(65)].flatMap((odd) =>
      [true, false].map((readOnly): [string, { tools: ReturnType<typeof tool>[] }] => [
        `one of them is called ${JSON.stringify(odd)}`,
        { tools: [tool('get'), tool(odd, readOnly)] },
      ]),
    ),
    [
      'there are too many to say',
      { tools: Array.from({ length: 200 }, (_, n) => tool(`${n * 7919}-does-something`)) },
    ],
  ])('for all tools, if %s', (_, verdict) => {
    expect(approvalRequired(verdict)).toEqual(['*']);
  });

  test('for all tools except the read-only ones', () => {
    const globs = approvalRequired({ tools: [tool('get_order'), tool('delete_order', false)] });
    expect(needsApproval(globs, 'get_order')).toBe(false);
    for (const name of ['', 'delete_order', '*', 'drop_table', 'get_orders', 'get_orde'])
      expect([name, needsApproval(globs, name)]).toEqual([name, true]);
  });
});

describe('why the agent asks before each tool, although some are read-only', () => {
  const many = Array.from({ length: 200 }, (_, n) => tool(`${n * 7919}-does-something`));

  test.each([
    [
      [tool('get'), tool('x'.repeat(65), false)],
      `the tool name "${'x'.repeat(64)}…" has more than 64 characters`,
    ],
    [[tool('get\u200b')], 'the tool name "get\\u{200b}" has other characters than letters, digits and _./-'],
    [many, 'the names of its tools need more than 24 KiB of patterns'],
  ])('is said where every tool needs approval', (tools, why) => {
    expect(whyAsksBeforeEach('shop/orders', { tools }, NO_OVERRIDES)).toBe(why);
    expect(approvalRequired({ tools })).toEqual(['*']);
  });

  test('is not said where it does not, or without a read-only tool', () => {
    const of = (...tools: ReturnType<typeof tool>[]) =>
      whyAsksBeforeEach('shop/orders', { tools }, NO_OVERRIDES);
    expect([of(tool('get'), tool('put', false)), of(tool('a b', false)), of()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is not said where overrides have a list of their own', () => {
    const overrides = overridesSchema.parse({
      holmesgpt: { mcp_servers: { 'shop/orders': { approval_required_tools: ['drop'] } } },
    });
    expect(whyAsksBeforeEach('shop/orders', { tools: many }, overrides)).toBeUndefined();
    expect(whyAsksBeforeEach('shop/other', { tools: many }, overrides)).toBeDefined();
  });
});
