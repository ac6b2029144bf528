import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toolTexts } from './tool-texts.ts';

test('a tool is described by its titles, its description and its schemas', () => {
  const texts = toolTexts(
    {
      name: 'get',
      title: 'Get',
      description: 'Gets\none.',
      annotations: { readOnlyHint: true },
      inputSchema: { properties: { id: { description: 'Which one' } } },
      outputSchema: {},
      icons: [],
    },
    true,
  );
  expect(texts).toEqual([
    'Get',
    'Gets\none.',
    'parameters {\n  "properties": {\n    "id": {\n      "description": "Which one"\n    }\n  }\n}',
    'output {}',
    'annotations {\n  "readOnlyHint": true\n}',
  ]);
});

test('a name that is shown truncated is repeated as a whole', () => {
  expect(toolTexts({ name: 'x'.repeat(999) }, false)).toEqual(['x'.repeat(999)]);
  expect(toolTexts({ name: 'x' }, true)).toEqual([]);
});

test('no text is left out, wherever it is', () => {
  const { node } = fc.letrec<{ node: unknown }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('HIDDEN TEXT', 1, null),
      fc.array(tie('node'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('properties', 'HIDDEN TEXT', 'description', 'type'), tie('node')),
    ),
  }));
  const part = fc.constantFrom('title', 'description', 'inputSchema', 'outputSchema', 'annotations');
  const count = (text: string): number => text.split('HIDDEN TEXT').length - 1;
  fc.assert(
    fc.property(fc.dictionary(part, node), (tool) => {
      expect(count(toolTexts(tool, true).join('\n'))).toBe(count(JSON.stringify(tool)));
    }),
  );
});
