import { describe, expect, test } from 'vitest';
import { warn } from '../../src/cli/output.ts';
import { problemLine } from '../../src/model/discovery.ts';
import { ConfigError } from '../../src/model/errors.ts';
import type { ObjectEvent } from '../../src/model/object-event.ts';
import { engineEvents } from '../../src/telemetry/engine-events.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

const S = 'hunter2hunter2';
const what = (secret: string): string =>
  `is left out: GET http://me:${secret}@host/ with token=${secret} failed`;
const SHOWN = 'is left out: GET http://***@host/ with token=*** failed';

describe.each(['github-token-mcp', 'prom-auth', 'vault-secret', 'password'])('a Service %s', (name) => {
  const problem = { where: `Service shop/${name}`, what: what(S), fix: 'approve it' };
  const line = `Service shop/${name}: ${SHOWN}; approve it`;

  test('does not hide its warnings in the log', () => {
    const lines: string[] = [];
    const { log, flush } = createLogger(
      { logLevel: 'info', logFormat: 'json' },
      { write: (text: string) => lines.push(text) },
    );
    log.warn(problemLine(problem));
    flush();
    expect(lines.map((each) => (JSON.parse(each) as { message: string }).message)).toEqual([line]);
  });

  test('does not hide its warnings on a terminal', () => {
    const lines: string[] = [];
    const sink = { write: (text: string) => lines.push(text) };
    warn({ result: sink, messages: sink }, [problem]);
    expect(lines).toEqual([`warning: ${line}\n`]);
  });

  test('does not hide the error of approve', () => {
    const said = `shop/${name}: not a backend at the moment; dynamic-toolset explain shop/${name} shows why`;
    expect(new ConfigError(said).message).toBe(said);
    expect(new ConfigError(`${said}, token: ${S}`).message).toBe(`${said}, token: ***`);
  });

  test('does not hide the rest of an Event', () => {
    const events: ObjectEvent[] = [];
    engineEvents((event) => events.push(event))({
      kind: 'publish-failed',
      error: new Error(problemLine(problem)),
    } as Parameters<ReturnType<typeof engineEvents>>[0]);
    expect(events.map(({ note }) => note)).toEqual([`The toolset was not published: ${line}`]);
  });
});
