import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { createLogger } from './logger.ts';

function logging(logFormat: 'json' | 'pretty', secrets: readonly string[] = []) {
  const stream = new PassThrough();
  const { log, use } = createLogger({ logLevel: 'debug', logFormat }, stream, secrets);
  return { log, use, written: () => String(stream.read() ?? '') };
}

const S = 'hunter2hunter2';
const JWT = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';

describe('secrets are hidden', () => {
  test.each<[string, object]>([
    ['a header, nested', { request: { headers: { authorization: `Bearer ${S}`, 'x-own': S } } }],
    ['a list of headers', { headers: ['authorization', `Bearer ${S}`] }],
    ['a telling name', { token: S }],
    ['under a telling name', { credentials: { user: S, list: [S, { deep: S }] } }],
    ['the password of a URL', { endpoint: `http://me:${S}@grafana:3000` }],
    ['a query', { path: `/render?api_key=${S}` }],
    ['an assignment in a text', { reason: `GET / answered 500 {"password": "${S}"}` }],
    ['a token in an array', { changes: [`label x=1`, `Authorization: Bearer ${S}`] }],
    ['the name of a field', { labels: { [`password=${S}`]: 'x' } }],
    ['an error', { err: new Error(`connect http://me:${S}@host failed`) }],
    ['the stack of an error', { stacktrace: new Error(`token: ${S}`).stack }],
  ])('%s', (_, fields) => {
    for (const format of ['json', 'pretty'] as const) {
      const { log, written } = logging(format);
      log.error(fields, 'a request failed');
      const text = written();
      expect(text).toContain('a request failed');
      expect(text).not.toContain(S);
    }
  });

  test('in a message, an error in place of fields, and fields of a child logger', () => {
    const { log, written } = logging('json');
    log.info(`the password: ${S}`);
    log.error(new Error(`url http://me:${S}@host`));
    log.child({ apiKey: S }).warn({ header: JWT }, 'x');
    expect(written()).not.toMatch(new RegExp(`${S}|${JWT}`));
  });

  test('a value that is known to be one, in any place', () => {
    const { log, written } = logging('json', ['swordfish']);
    log.info({ note: 'swordfish' }, 'the agent said: swordfish is not valid');
    expect(JSON.parse(written())).toMatchObject({ note: '***', message: 'the agent said: *** is not valid' });
  });
});

test('harmless text stays unchanged', () => {
  const { log, written } = logging('json');
  const fields = {
    component: 'reconciliation',
    cycle: 3,
    drift_keys: ['toolset.json'],
    override_key: 'overrides.yaml',
    keys_updated: ['data toolset.json'],
    endpoint: 'http://prometheus.monitoring.svc.cluster.local:9090/base',
    diff: '-  "a: ***1"',
    nothing: null,
    healthy: false,
  };
  log.info(fields, 'listing Services was denied; grant "list" on services there with a Role');
  const { timestamp, ...line } = JSON.parse(written());
  expect(timestamp).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(line).toEqual({
    ...fields,
    level: 'info',
    message: 'listing Services was denied; grant "list" on services there with a Role',
  });
});

test('for terminals: one line, with indented details below; no text controls the terminal', () => {
  const { log, written } = logging('pretty');
  log.warn(
    { component: 'reconciliation', cycle: 3, event: 'x', reason: 'it is down', diff: '-a\n+\u001b[2Jb' },
    'somebody changed it\u0007',
  );
  expect(written().replace(/^[\d:.]{12}/, 'TIME')).toBe(
    'TIME WARN  [reconciliation] somebody changed it\\u{7} cycle=3 reason="it is down"\n    -a\n    +\\u{1b}[2Jb\n',
  );
});

test('level and format can change at runtime', () => {
  const { log, use, written } = logging('json');
  use({ logLevel: 'error', logFormat: 'pretty' });
  log.warn('not told');
  log.error('told');
  expect(written()).toMatch(/^[\d:.]{12} ERROR told\n$/);
});
