/** The fenced blocks of a page, and what comments above them say. */
import type { RootContent } from 'mdast';
import { toString as textOf } from 'mdast-util-to-string';
import { parseMarkdown } from '../../scripts/markdown.ts';

/** A fenced block of a page. */
export interface Block {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** From `<!-- needs: … -->` directly above: what a machine must have to run it, so that no test does. */
  readonly needs?: string;
  /** From `<!-- file: … -->` directly above: the file as which commands further down the page find it. */
  readonly savedAs?: string;
  /** Lines that the page shows as its output, in a text block that follows. */
  readonly output: readonly string[];
}

const SHELLS = ['sh', 'bash', 'console'];
export const isShell = (block: Block): boolean => SHELLS.includes(block.language);

/** Comments directly above a node, by their first word. */
function commentsAbove(nodes: readonly RootContent[], index: number): Record<string, string> {
  const node = nodes[index - 1];
  if (node?.type !== 'html') return {};
  return Object.fromEntries(
    [...node.value.matchAll(/<!-- (needs|file): (.+?) -->/g)].map(([, key = '', value = '']) => [key, value]),
  );
}

/** What a text block right below shows, or below one paragraph that ends with a colon. */
function outputBelow(nodes: readonly RootContent[], index: number): string[] {
  const next = nodes[index + 1];
  const said = next?.type === 'paragraph' && textOf(next).endsWith(':') ? nodes[index + 2] : next;
  return said?.type === 'code' && said.lang === 'text' ? said.value.split('\n') : [];
}

/** All fenced blocks of a Markdown file that are not inside of another element. */
export function blocksOf(file: string): Block[] {
  const nodes = parseMarkdown(file).children;
  return nodes.flatMap((node, index) => {
    if (node.type !== 'code') return [];
    const { needs, file: savedAs } = commentsAbove(nodes, index);
    return [
      {
        file,
        line: node.position?.start.line ?? 0,
        language: node.lang ?? '',
        text: node.value,
        output: outputBelow(nodes, index),
        ...(needs === undefined ? {} : { needs }),
        ...(savedAs === undefined ? {} : { savedAs }),
      },
    ];
  });
}
