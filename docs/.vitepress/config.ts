/** The documentation as a site: the Markdown files of the repository as they are, in the order of `docs/README.md`. */
import { slug } from 'github-slugger';
import { defineConfig } from 'vitepress';
import packageJson from '../../package.json' with { type: 'json' };
import { chapters } from '../../scripts/documentation-index.ts';
import { asOnGitHub } from './markdown.ts';

const menu = chapters().map(({ title, pages }) => ({
  text: title,
  items: pages.map((page) => ({
    text: page.title,
    link: `/${page.file.replace(/README\.md$/, '').replace(/\.md$/, '')}`,
  })),
}));

export default defineConfig({
  title: 'Dynamic Toolset',
  description: packageJson.description,
  lang: 'en-GB',
  // Where the site lies on its host, with a slash at both ends.
  base: process.env.SITE_BASE ?? '/',
  srcDir: '..',
  outDir: '../site',
  cacheDir: '../node_modules/.cache/vitepress',
  srcExclude: ['demo-output/**', 'site/**', 'dist/**', 'test/fixtures/**'],
  rewrites: (file) => file.replace(/(^|\/)README\.md$/, '$1index.md'),
  cleanUrls: true,
  markdown: {
    anchor: { slugify: slug },
    config: (markdown) => asOnGitHub(markdown, process.env.SITE_SOURCE),
  },
  themeConfig: {
    nav: menu,
    sidebar: [{ text: 'Overview', link: '/' }, ...menu],
    outline: [2, 3],
    search: { provider: 'local' },
    externalLinkIcon: true,
  },
});
