import { expect, test } from 'vitest';
import type { McpTool } from '../model/discovery.ts';
import { toolsShown } from './tools-shown.ts';

const tool = (fields: Partial<McpTool> = {}): McpTool => ({
  name: 'get_order',
  readOnly: true,
  digest: '1',
  ...fields,
});
const other = tool({ name: 'cancel_order', readOnly: false, digest: '2' });

test('shown tools are identified by a hash, in any order', () => {
  const shown = toolsShown({ tools: [tool(), other] });
  expect(shown).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(toolsShown({ tools: [other, tool()] })).toBe(shown);
});

test.each<[string, readonly McpTool[]]>([
  ['one more', [tool(), other, tool({ name: 'wipe' })]],
  ['one less', [tool()]],
  ['another name', [tool({ name: 'get_orders' }), other]],
  ['another effect', [tool({ readOnly: false }), other]],
  ['another description or schema', [tool({ digest: '3' }), other]],
])('%s is another list', (_, tools) => {
  expect(toolsShown({ tools })).not.toBe(toolsShown({ tools: [tool(), other] }));
});

test('an unknown or incomplete list never equals the shown one', () => {
  expect(toolsShown({})).toBeUndefined();
  expect(toolsShown({ tools: [tool()], toolsTruncated: true })).toBeUndefined();
  expect(toolsShown({ tools: [tool()], toolsTruncated: false })).toBeDefined();
});
