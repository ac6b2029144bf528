import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CliContext } from '../../src/cli/cli-context.ts';
import { explainCommand } from '../../src/cli/explain.ts';
import { generateCommand } from '../../src/cli/generate.ts';
import { cliContext } from '../fixtures/unit/cli.ts';

/** Everything that the program knows about a kind of backend. */
const DETECTOR = `type: inventory
title: Inventory
description: What teams run
names: [inventory]
ports: { numbers: [8080] }
probe:
  health: ["{base}/up"]
  proofs:
    - all:
        - get: "{base}/about"
          json: { product: inventory }
`;

const MANIFEST = `apiVersion: v1
kind: Service
metadata: { name: inventory, namespace: shop, labels: { app.kubernetes.io/name: inventory } }
spec: { selector: { app: inventory }, ports: [{ name: http, port: 8080 }] }
`;

/** A cluster with one Service, whose backend answers with a body, and a folder with one detector. */
async function setting(about: unknown) {
  const folder = await mkdtemp(join(tmpdir(), 'kind-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const manifest = join(folder, 'cluster.yaml.txt');
  await writeFile(manifest, MANIFEST);
  await writeFile(join(folder, 'inventory.yaml'), DETECTOR);
  const server = createServer((_, response) => response.end(JSON.stringify(about)));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const flags = {
    filename: [manifest],
    detectors: [folder],
    connectTo: [`inventory.shop.svc.cluster.local:8080:127.0.0.1:${port}`],
    probe: 'direct',
  };
  const read = async (run: (cli: CliContext) => Promise<unknown>): Promise<string> => {
    const { cli, written } = cliContext();
    await run(cli);
    return written.result;
  };
  return { flags, read };
}

test('a new kind of backend is one file: it is detected, proven, published and explained', async () => {
  const { flags, read } = await setting({ product: 'inventory' });
  const toolset = await read((cli) => generateCommand({ ...flags, format: 'toolset-json' }, cli));
  expect(JSON.parse(toolset).tools).toMatchObject([
    {
      name: 'inventory.shop',
      type: 'inventory',
      endpoint: 'http://inventory.shop.svc.cluster.local:8080',
      description: expect.stringContaining('What teams run'),
    },
  ]);
  const explained = JSON.parse(
    await read((cli) => explainCommand('shop/inventory', { ...flags, output: 'json' }, cli)),
  );
  expect(explained.backend).toMatchObject({ type: 'inventory', id: 'shop/inventory' });
  expect(explained.backend.conditions).toContainEqual(
    expect.objectContaining({ type: 'Proven', status: 'True', reason: 'AnsweredAsExpected' }),
  );
});

test('a server with other responses is not of that kind, and explain shows why', async () => {
  const { flags, read } = await setting({ product: 'else' });
  const toolset = await read((cli) => generateCommand({ ...flags, format: 'toolset-json' }, cli));
  expect(JSON.parse(toolset).tools).toEqual([]);
  const text = await read((cli) => explainCommand('shop/inventory', { ...flags, output: 'text' }, cli));
  expect(text).toMatch(/inventory/i);
  expect(text).toContain('/about');
});
