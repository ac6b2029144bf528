/** The real HolmesGPT sends the token of its ServiceAccount where our document lets it, and nowhere else. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { holmesPython } from '../../scripts/holmes-venv.ts';
import { withoutAgentToken } from '../../src/outputs/holmesgpt/render/agent-token.ts';

const PROGRAM = `
import json, sys
from holmes.plugins.toolsets.prometheus.prometheus import PrometheusConfig
print(json.dumps([PrometheusConfig(**fields).additional_headers for fields in json.loads(sys.argv[1])]))
`;

test('with IS_OPENSHIFT, each Prometheus gets the token, unless our header prevents it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dynamic-toolset-token-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'token'), 'the-token');
  const fields = { prometheus_url: 'http://prometheus:9090' };
  const python = await holmesPython((line) => console.error(line));
  const { stdout } = await promisify(execFile)(
    python,
    ['-c', PROGRAM, JSON.stringify([fields, withoutAgentToken(fields)])],
    { env: { PATH: process.env.PATH, IS_OPENSHIFT: 'true', TOKEN_LOCATION: join(folder, 'token') } },
  );
  expect(JSON.parse(stdout.slice(stdout.lastIndexOf('[{')))).toEqual([
    { Authorization: 'Bearer the-token' },
    { Authorization: 'none' },
  ]);
});
