import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OUTPUT_IDS } from '../../src/model/output-ids.ts';
import { inProcess } from '../api/in-process.ts';

/** A request in the documentation: `POST /api/v1/discover`. A path alone is a GET, unless the API has none for it. */
const REQUEST = /(?:\b(GET|POST) )?(\/api\/v1\/[a-z{}/]*[a-z}])/g;

/** Paths below `/api/v1` of other APIs: those of backends, and of Kubernetes. */
const OTHERS = /^\/api\/v1\/(namespaces|status|stores|health|version|info|query|rules)\b/;

test('the row of validate names the documents that it checks', () => {
  const [, outputs = ''] =
    /\(`kind` is `overrides` or an output: ([^)]*)\)/.exec(readFileSync('docs/api.md', 'utf8')) ?? [];
  expect(outputs).toBe(OUTPUT_IDS.map((id) => `\`${id}\``).join(', '));
});

test('each request that the documentation names is one of the API', async () => {
  const { app } = await inProcess();
  const { paths } = (await app.inject('/openapi.json')).json() as { paths: Record<string, object> };
  const known = Object.entries(paths).map(([path, operations]) => ({
    pattern: new RegExp(`^${path.replaceAll(/\{[^}]*\}/g, '[^/]+')}$`),
    methods: Object.keys(operations).map((method) => method.toUpperCase()),
  }));
  const requests = ['README.md', ...globSync('docs/*.md')].flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(REQUEST)].map(([, method, path = '']) => ({
      file,
      method,
      path,
    })),
  );
  expect(requests.length).toBeGreaterThan(20);
  const wrong = requests.filter(
    ({ method, path }) =>
      !OTHERS.test(path) &&
      !known.some(
        ({ pattern, methods }) => pattern.test(path) && (method === undefined || methods.includes(method)),
      ),
  );
  expect(wrong).toEqual([]);
});
