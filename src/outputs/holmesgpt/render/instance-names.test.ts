import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { discovered } from '../../../../test/fixtures/unit/detection.ts';
import { offered } from '../../../../test/fixtures/unit/service.ts';
import { reservedNames } from '../../../model/overrides.ts';
import { discoveredTool, type Tool } from '../../../planning/tools.ts';
import { readOverrides } from '../../read-overrides.ts';
import { holmesFaults } from '../contract/contract.ts';
import { NEWEST } from './document-options.ts';
import { distinctNames } from './instance-names.ts';
import { holmesDocument } from './toolsets.ts';

const loki = (
  key: string,
  { tool = key.split('/').reverse().join('.'), created = '2026-01-01' } = {},
): Tool => {
  const [namespace = '', name = ''] = key.split('/');
  const found = discoveredTool(discovered(offered(name, { type: 'loki', name: 'x' }, { namespace })));
  return { ...found, tool, created };
};

/** The names of the instances by host, and the notes. */
function lokis(tools: readonly Tool[], backends: Record<string, Record<string, string>>) {
  const patch = { toolsets: { 'grafana/loki': { backends } } };
  const { text, document, notes } = holmesDocument(tools, { ...NEWEST, patch });
  expect(holmesFaults(document)).toEqual([]);
  const { instances } = parse(text).toolsets['grafana/loki'].config;
  const names = instances.map(({ api_url, name }: Record<string, string>) => [
    new URL(api_url ?? '').hostname.split('.').slice(0, 2).join('.'),
    name,
  ]);
  return { names, notes };
}

describe('a name that overrides give a backend', () => {
  test.each([
    ['backends: {monitoring/loki: {name: Main}}', ['main']],
    ['backends: {"shop/*": {name: 5}}', ['5']],
    ['config: {kafka_clusters: [{name: old}]}', ['old']],
    ['config: {clusters: [{id: one}]}', ['one']],
  ])('is reserved: %s', (entry, names) => {
    const read = readOverrides(`holmesgpt: {toolsets: {grafana/loki: {${entry}}}}`);
    if (!('value' in read)) throw new Error('not valid');
    expect([...reservedNames(read.value)]).toEqual(names);
  });

  test('belongs to that backend: another one with it as its own name is renamed', () => {
    const { names, notes } = lokis([loki('shop/x1', { tool: 'main' }), loki('monitoring/loki')], {
      'monitoring/loki': { name: 'MAIN' },
    });
    expect(names).toEqual([
      ['loki.monitoring', 'MAIN'],
      ['x1.shop', 'main-2'],
    ]);
    expect(notes).toEqual([
      {
        where: 'overrides.yaml, holmesgpt.toolsets grafana/loki',
        what: 'backends gives the name MAIN to monitoring/loki, so shop/x1 is called main-2',
        fix: 'give each backend a name of its own',
      },
    ]);
  });

  test('for a whole namespace goes to the oldest Service there, and the others keep theirs', () => {
    const tools = [loki('shop/a', { created: '2026-02-02' }), loki('shop/loki'), loki('monitoring/loki')];
    expect(lokis(tools, { 'shop/*': { name: 'foo' } }).names).toEqual([
      ['loki.shop', 'foo'],
      ['a.shop', 'a.shop'],
      ['loki.monitoring', 'loki.monitoring'],
    ]);
  });

  test('that is the default name of another one wins', () => {
    const tools = [loki('monitoring/loki'), loki('shop/loki')];
    expect(lokis(tools, { 'shop/loki': { name: 'loki.monitoring' } }).names).toEqual([
      ['loki.shop', 'loki.monitoring'],
      ['loki.monitoring', 'loki.monitoring-2'],
    ]);
  });

  test('many that lose one are reported in one line', () => {
    const tools = Array.from({ length: 9 }, (_, index) => loki(`shop/loki-${index}`));
    expect(lokis(tools, { '*': { name: 'foo' } }).notes.map(({ what }) => what)).toEqual([
      'backends gives the name foo to shop/loki-0, so shop/loki-1 is called loki-1.shop, shop/loki-2 is called loki-2.shop, shop/loki-3 is called loki-3.shop, and 5 more keep their own',
    ]);
  });
});

const word = fc.constantFrom('a', 'A', 'b', 'a-2', 'a-2-2', 'c');

test('names are distinct; whoever wants a free one gets it, those that an operator wrote first', () => {
  const claims = fc.array(fc.record({ tool: word, written: fc.option(word, { nil: undefined }) }));
  fc.assert(
    fc.property(claims, fc.array(word), (all, taken) => {
      const names = distinctNames(all, taken);
      const lower = [...names, ...new Set(taken.map((name) => name.toLowerCase()))].map((name) =>
        name.toLowerCase(),
      );
      expect(new Set(lower).size).toBe(lower.length);
      const free = (name: string): boolean =>
        !taken.some((each) => each.toLowerCase() === name.toLowerCase());
      for (const { written } of all)
        if (written !== undefined && free(written)) {
          const first = all.findIndex((each) => each.written?.toLowerCase() === written.toLowerCase());
          expect(names[first]).toBe(all[first]?.written);
        }
      for (const [index, { tool, written }] of all.entries()) {
        const isWanted = all.some(
          (each, other) =>
            each.written?.toLowerCase() === tool.toLowerCase() ||
            (other < index && each.tool.toLowerCase() === tool.toLowerCase()),
        );
        if (written === undefined && free(tool) && !isWanted) expect(names[index]).toBe(tool);
      }
    }),
  );
});
