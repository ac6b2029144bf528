import { expect, it } from 'vitest';
import { markdownFiles } from '../../scripts/markdown.ts';
import { type Block, blocksOf } from './blocks.ts';
import { answerTo } from './program.ts';
import { documentsOf, kindOfYaml } from './yaml.ts';

const blocks = markdownFiles().flatMap(blocksOf);
const named = (found: readonly Block[]) =>
  found.map((block) => [`${block.file}:${block.line}`, block] as const);
const yaml = blocks.filter(({ language }) => language === 'yaml');
const json = blocks.filter(({ language }) => language === 'json');

it.each(named(yaml))('the YAML of %s is valid', (_, { text }) => {
  expect(documentsOf(text)).not.toEqual([]);
});

it.each(named(json))('the JSON of %s is valid', (_, { text }) => {
  expect(() => JSON.parse(text)).not.toThrow();
});

const ours = yaml.filter((block) => !['manifest', 'part'].includes(kindOfYaml(block)));

it.each(named(ours))('validate finds no fault in the YAML of %s', async (_, block) => {
  expect(await answerTo(['validate', '--kind', kindOfYaml(block), '-'], block.text)).toEqual({
    exitCode: 0,
    text: expect.any(String),
  });
});

it.each([
  ['apiVersion: v1\nkind: Service', 'manifest'],
  ['tools:\n  a: { enabled: false }', 'overrides'],
  ['toolsets: {}', 'holmesgpt'],
  ['discoveryInterval: 1m', 'config'],
  ['type: inventory\nprobe: {}', 'detector'],
  ['env:\n  - name: A', 'part'],
  ['- a', 'part'],
])('%j is %s', (text, kind) => {
  expect(kindOfYaml({ file: '', line: 1, language: 'yaml', text, output: [] })).toBe(kind);
});
