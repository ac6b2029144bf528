import { expect, test } from 'vitest';
import type { ReadModel } from '../controller/read-model.ts';
import { Toolsets } from './toolsets.ts';

const tool = (name: string) => ({ name, type: 'loki', endpoint: 'http://x' });
const published = (...names: string[]) => ({
  data: { 'toolset.json': JSON.stringify({ tools: names.map(tool) }), 'overrides.yaml': 'tools: {}' },
});

test('the overrides and toolset.json are read once for each state of the read model, and not for each request', () => {
  const readModel = { revision: 1, services: [], published: published('b', 'a') };
  const read: unknown[] = [];
  const toolsets = new Toolsets(readModel as unknown as ReadModel, (text) => {
    read.push(text);
    return new Set();
  });
  for (let time = 0; time < 3; time++) {
    expect(toolsets.named('a')).toMatchObject({ name: 'a', published: true });
    expect(toolsets.all().map(({ name }) => name)).toEqual(['a', 'b']);
    expect(toolsets.named('c')).toBeUndefined();
  }
  expect(read).toEqual(['tools: {}']);
  readModel.published = published('c');
  readModel.revision = 2;
  expect(toolsets.named('c')).toMatchObject({ name: 'c' });
  expect(toolsets.named('a')).toBeUndefined();
  expect(read).toHaveLength(2);
});
