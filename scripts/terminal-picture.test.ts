import { expect, it } from 'vitest';
import { terminalPicture } from './terminal-picture.ts';

const textsOf = (svg: string): string[] => svg.split('\n').filter((line) => line.startsWith('<text'));

it('keeps text as text, each run of one style at its column', async () => {
  const svg = await terminalPicture('NAME   HEALTH\nloki   \u001b[32mhealthy\u001b[39m\n', 20, 'A table');
  expect(textsOf(svg)).toEqual([
    '<text x="16" y="53.5" textLength="31.2">NAME</text>',
    '<text x="70.6" y="53.5" textLength="46.8">HEALTH</text>',
    '<text x="16" y="71.5" textLength="31.2">loki</text>',
    '<text x="70.6" y="71.5" textLength="54.6" fill="#3fb950">healthy</text>',
  ]);
});

it('breaks a line that is longer than the terminal is wide', async () => {
  const svg = await terminalPicture('abcdefghij', 4, 'Letters');
  expect(textsOf(svg).map((line) => line.replace(/<[^>]*>/g, ''))).toEqual(['abcd', 'efgh', 'ij']);
});

it('escapes what XML would read as markup', async () => {
  const svg = await terminalPicture('<a & "b">', 20, 'x < y');
  expect(svg).toContain('>&lt;a &amp; &quot;b&quot;&gt;</text>');
  expect(svg).toContain('<title id="title">x &lt; y</title>');
});
