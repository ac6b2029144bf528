import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { V1ServiceList } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildLibrary } from '../../scripts/build-library.ts';
import { checkLibrary, libraryExample } from '../../scripts/library-check.ts';
import { repository } from '../../scripts/markdown.ts';
import { detect } from '../../src/library/index.ts';

let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dynamic-toolset-library-'));
  const home = join(folder, 'node_modules/dynamic-toolset');
  mkdirSync(join(home, 'dist/library'), { recursive: true });
  cpSync(join(repository, 'package.json'), join(home, 'package.json'));
  await buildLibrary(join(home, 'dist/library'));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the example compiles in a fresh project, and prints what the page shows without any permission', () => {
  const { program, output } = libraryExample();
  expect(checkLibrary(folder, program).trimEnd()).toBe(output);
});

test('the library imports only cryptography from Node.js', () => {
  const text = readFileSync(join(folder, 'node_modules/dynamic-toolset/dist/library/index.js'), 'utf8');
  const imported = [...text.matchAll(/(?:^|[;}])import[^;]*?from"([^"]+)"/g)].map(([, from]) => from);
  expect(new Set(imported)).toEqual(new Set(['node:crypto']));
  expect(text).not.toMatch(
    /\brequire\(|\bimport\(|getBuiltinModule|\bprocess\.(?:env|exit|argv|std)|\bfetch\(/,
  );
});

test('lists of the Kubernetes client can be passed unchanged', () => {
  const list: V1ServiceList = {
    items: [
      {
        metadata: {
          name: 'prometheus',
          namespace: 'monitoring',
          creationTimestamp: new Date(0),
          labels: { app: 'prometheus' },
        },
        spec: { ports: [{ port: 9090, targetPort: 'web' }] },
      },
    ],
  };
  expect(detect(list).backends.map(({ type }) => type)).toEqual(['prometheus']);
});

test('objects may have fields that detection does not read', () => {
  const { backends } = detect({
    apiVersion: 'v1',
    kind: 'List',
    metadata: { resourceVersion: '' },
    items: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'loki', uid: '1', generation: 1, labels: { app: 'loki' } },
        spec: {
          type: 'ExternalName',
          externalName: 'loki.example.com',
          sessionAffinity: 'None',
          ports: [{ port: 3100, nodePort: 30000 }],
        },
        status: { loadBalancer: {} },
      },
    ],
  });
  expect(backends).toEqual([]);
});
