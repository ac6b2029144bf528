import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Mapping } from '../model/mapping.ts';
import { toolTexts } from './tool-texts.ts';

test('a tool is described by its titles, its description and its parameters', () => {
  const texts = toolTexts({
    name: 'get',
    title: 'Get',
    description: 'Gets\none.',
    annotations: { title: 'Getter', readOnlyHint: true },
    inputSchema: {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      description: 'All of it',
      properties: {
        id: { type: 'string', format: 'uuid', description: 'Which one' },
        limit: { type: 'integer', minimum: 1 },
        'a b': { type: 'object', properties: { c: { enum: ['x', 2], default: 'x' }, d: true } },
        list: { type: 'array', items: { anyOf: [{ const: 'one' }, { type: 'null' }] } },
      },
      required: ['id'],
    },
  });
  expect(texts).toEqual([
    'Get',
    'Getter',
    'Gets\none.',
    'parameters: All of it',
    'parameters.id: Which one',
    'parameters.limit:',
    'parameters."a b".c enum: x, 2',
    'parameters."a b".c default: x',
    'parameters."a b".d: true',
    'parameters.list items anyOf const: one',
    'parameters required: id',
  ]);
});

test.each([
  ['type', 'a sentence'],
  ['format', 'Do this'],
  ['$schema', 'https://example.com/do-this'],
  ['$comment', 'word'],
])('a text in %s is shown', (key, value) => {
  expect(toolTexts({ inputSchema: { [key]: value } })).toEqual([
    expect.stringMatching(new RegExp(`^parameters .*: ${value}$`)),
  ]);
});

test('no text of a schema is left out, wherever it is', () => {
  const schema = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.constant('HIDDEN TEXT'),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('properties', 'items', 'description', 'type', 'x', '$ref'), tie('node')),
    ),
  })).node;
  const count = (text: string): number => text.split('HIDDEN TEXT').length - 1;
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('properties', 'anyOf', 'a'), schema),
      (inputSchema: Mapping) => {
        expect(count(toolTexts({ inputSchema }).join('\n'))).toBe(count(JSON.stringify(inputSchema)));
      },
    ),
  );
});
