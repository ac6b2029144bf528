/** Reads the Markdown of the repository as GitHub does, where VitePress would read it otherwise. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MarkdownRenderer } from 'vitepress';

const repository = join(import.meta.dirname, '../..');
const isRelative = (url: string): boolean => !/^([a-z][a-z+.-]*:|\/|#)/i.test(url);

/** Two braces are two braces, and no expression. */
function withoutExpressions(markdown: MarkdownRenderer): void {
  const { escapeHtml } = markdown.utils;
  markdown.renderer.rules.code_inline = (tokens, index) =>
    `<code v-pre>${escapeHtml(tokens[index]?.content ?? '')}</code>`;
  markdown.renderer.rules.text = (tokens, index) =>
    escapeHtml(tokens[index]?.content ?? '').replaceAll('{{', '&#123;&#123;');
}

/** A folder's page is its `README.md`, and what is no page is looked at in the repository. */
function withRepositoryLinks(markdown: MarkdownRenderer, source: string | undefined): void {
  markdown.core.ruler.push('repository_links', (state) => {
    const folder = (state.env as { relativePath?: string }).relativePath?.replace(/[^/]*$/, '') ?? '';
    for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
      const url = token.type === 'link_open' ? token.attrGet('href') : null;
      if (url === null || !isRelative(url)) continue;
      const [path = '', anchor] = url.split('#');
      const file = join(folder, path);
      const hash = anchor === undefined ? '' : `#${anchor}`;
      if (path.endsWith('README.md')) token.attrSet('href', path.replace(/README\.md$/, 'index.md') + hash);
      else if (existsSync(join(repository, file, 'README.md')))
        token.attrSet('href', `${path.replace(/\/?$/, '/')}index.md${hash}`);
      else if (!path.endsWith('.md')) {
        if (source === undefined) token.attrs = [];
        else token.attrSet('href', `${source}/${file}${hash}`);
      }
    }
  });
}

/**
 * Configures VitePress' Markdown.
 * @param source address of the repository's files; without it, what is no page is not linked
 */
export function asOnGitHub(markdown: MarkdownRenderer, source: string | undefined): void {
  withoutExpressions(markdown);
  withRepositoryLinks(markdown, source);
}
