import { expect, test } from 'vitest';
import { basePathsIn } from './base-paths.ts';

const ENDPOINT = { scheme: 'http', host: 'grafana.lab.svc.cluster.local', port: 3000, path: '' } as const;
const HOST = 'http://grafana.lab.svc.cluster.local:3000';

const bases = (...answers: readonly (readonly [string, number, string, string?])[]) =>
  basePathsIn(
    answers.map(([path, status, location, body = '']) => ({
      path,
      answer: { status, headers: location === '' ? {} : { location }, body },
    })),
    ENDPOINT,
    ['/grafana'],
  );
const page = (text: string) => bases(['/', 200, '', text]);

test.each<[string, string, string, readonly string[]]>([
  ['the request, below a path', '/api/health', '/mon/api/health', ['/mon', '/grafana']],
  ['the same as a URL', '/api/health', `${HOST}/mon/api/health`, ['/mon', '/grafana']],
  ['a page below a path', '/', '/prom/graph', ['/prom', '/prom/graph', '/grafana']],
  ['a directory', '/', '/prom/', ['/prom', '/grafana']],
  ['a relative path', '/', 'prom/', ['/prom', '/grafana']],
  ['a query', '/', '/prom?x=/y', ['/prom', '/grafana']],
  ['a deep page', '/', '/a/b/c/d', ['/a', '/a/b', '/a/b/c']],
  ['the usual path', '/', '/grafana/login', ['/grafana', '/grafana/login']],
  ['itself', '/', '/', ['/grafana']],
  ['another host', '/', 'http://grafana.other.svc.cluster.local:3000/prom', ['/grafana']],
  ['the URL of browsers', '/api/health', 'https://ops.example.com/mon/api/health', ['/mon', '/grafana']],
  ['the same page elsewhere', '/api/health', 'https://ops.example.com/api/health', ['/grafana']],
  ['another page elsewhere', '/api/health', 'https://ops.example.com/mon/login', ['/grafana']],
  ['a template elsewhere', '/api/health', 'https://ops.example.com/{{x}}/api/health', ['/grafana']],
  ['a long path elsewhere', '/x', `https://ops.example.com/${'y'.repeat(200)}/x`, ['/grafana']],
  ['a name that begins the same', '/', `${HOST}.evil.example/prom`, ['/grafana']],
  ['a login on it', '/', 'http://me:secret@grafana.lab.svc.cluster.local:3000/prom', ['/prom', '/grafana']],
  ['another port', '/', HOST.replace('3000', '3001'), ['/grafana']],
  ['another scheme', '/', `https:${HOST.slice(5)}/prom`, ['/grafana']],
  ['no scheme', '/', '//evil.example/prom', ['/grafana']],
  ['a template', '/', '/{{ env.KEY }}/', ['/grafana']],
  ['encoded characters', '/', '/%41/x', ['/grafana']],
  ['encoded steps', '/', '/%2e%2e/prom', ['/prom', '/grafana']],
  ['steps upwards', '/', '/../../prom/', ['/prom', '/grafana']],
  ['a long path', '/', `/${'x'.repeat(200)}`, ['/grafana']],
])('a redirect to %s', (_, asked, location, expected) => {
  expect(bases([asked, 302, location])).toEqual(expected);
  expect(bases([asked, 200, location])).toEqual(['/grafana']);
});

test.each<[string, readonly string[]]>([
  ['<html><head><base href="/mon/"><title>', ['/mon', '/grafana']],
  ["<BASE data-x=1 HREF='/mon/' />", ['/mon', '/grafana']],
  ['<base href=/mon/>', ['/mon', '/grafana']],
  [`<base target="_top" href="${HOST}/mon/">`, ['/mon', '/grafana']],
  ['<base href="/">', ['/grafana']],
  ['<base href="https://cdn.example.com/mon/">', ['/grafana']],
  ['<base href="/{{x}}/">', ['/grafana']],
  [`${' '.repeat(9_000)}<base href="/mon/">`, ['/grafana']],
  ['<base', ['/grafana']],
])('a page with %s', (text, expected) => {
  expect(page(text)).toEqual(expected);
});

test.each<[string, readonly string[]]>([
  [
    'requestURI: /health; missing -http.pathPrefix="/vm" in the requested path "/health"',
    ['/vm', '/grafana'],
  ],
  ['missing -http.pathPrefix="/vm/" in the requested path "/"', ['/vm', '/grafana']],
  ['missing -http.pathPrefix="/{{x}}" in the requested path "/"', ['/grafana']],
  ['missing -http.pathPrefix="//evil.example/vm" in the requested path "/"', ['/grafana']],
])('an error with %s', (text, expected) => {
  expect(bases(['/health', 400, '', text])).toEqual(expected);
});

test('only a few are tried, and none twice', () => {
  expect(bases(['/x', 301, '/a/x'], ['/y', 301, '/a/y'], ['/', 302, '/b/c/d'])).toEqual(['/a', '/b', '/b/c']);
});

test('hostile pages take no longer than others', () => {
  const started = performance.now();
  for (const text of ['<base '.repeat(1_300), `<base ${'href='.repeat(1_600)}`, '<base'.padEnd(8_000, ' ')])
    expect(page(text)).toEqual(['/grafana']);
  expect(performance.now() - started).toBeLessThan(1_000);
});
