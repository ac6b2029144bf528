import { Readable, Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { FileKind } from './choices.ts';
import type { Invocation } from './configuration.ts';
import { validateCommand } from './validate.ts';

/** Runs `validate --kind KIND -` on a text. */
async function validated(kind: FileKind, text: string): Promise<{ code: number; lines: string[] }> {
  let written = '';
  const sink = () =>
    new Writable({
      write(chunk, _, done) {
        written += String(chunk);
        done();
      },
    });
  const run: Invocation = {
    env: {},
    version: '0.0.0',
    stdin: Readable.from([text]),
    output: { result: sink(), messages: sink() },
    signal: AbortSignal.timeout(10_000),
  };
  const code = await validateCommand(['-'], { kind }, run);
  return { code, lines: written.split('\n').filter((line) => line !== '') };
}

describe('a file of HolmesGPT', () => {
  test('faults stand at their place, and the exit code says so', async () => {
    const { code, lines } = await validated(
      'holmesgpt',
      'toolsets:\n  grafana/loki:\n    enabled: true\n    config:\n      api_url: 5\n  loki:\n    enabled: true\n',
    );
    expect(code).toBe(1);
    expect(lines[0]).toMatch(/^-:5:7: toolsets\.grafana\/loki\.config\.api_url: should be a text/);
    expect(lines[1]).toMatch(/^-:6:3: toolsets\.loki: /);
  });

  test('warnings are told and are no failure', async () => {
    const { code, lines } = await validated(
      'holmesgpt',
      'toolsets:\n  grafana/loki: { enabled: true, config: { api_url: http://a, timeout: 5 } }\n',
    );
    expect(code).toBe(0);
    expect(lines[0]).toMatch(/^-:2:63: warning: .*\.timeout: .*ignores/);
  });
});

test('the part of overrides that is for HolmesGPT is checked where it stands by itself', async () => {
  const { code, lines } = await validated(
    'overrides',
    'tools: {}\nholmesgpt:\n  toolsets:\n    mine:\n      type: http\n      config: { endpoints: [] }\n',
  );
  expect(code).toBe(1);
  expect(lines[0]).toMatch(/^-:6:7: holmesgpt\.toolsets\.mine\.config: has no endpoints/);
});

test('and a change of a generated entry, which need not be whole, is fine', async () => {
  const text = 'holmesgpt:\n  toolsets:\n    grafana/loki: { config: { timeout_seconds: 5 } }\n';
  expect(await validated('overrides', text)).toEqual({ code: 0, lines: ['-: fine (overrides)'] });
});
