import { expect, test } from 'vitest';
import { credentialsError } from '../../src/kubernetes/credentials-error.ts';
import { hideSecrets } from '../../src/model/redact-text.ts';
import { sameBackend } from '../../src/model/same-url.ts';
import { holmesFaults } from '../../src/outputs/holmesgpt/contract/contract.ts';
import { approve } from '../../src/planning/approve.ts';
import { redactLines } from '../../src/planning/redact-lines.ts';

/** Characters with which a quadratic function takes many minutes, and a linear one milliseconds. */
const LONG = 2_000_000;
const repeated = (text: string): string => text.repeat(LONG / text.length);

test('runs of slashes', () => {
  const url = `http://loki.shop.svc.cluster.local:3100${repeated('/')}`;
  expect(sameBackend(url, 'http://loki.shop.svc.cluster.local:3100')).toBe(true);
  expect(sameBackend(`${url}x`, 'http://loki.shop.svc.cluster.local:3100')).toBe(false);
});

test('templates without an end', () => {
  const faults = (value: string) =>
    holmesFaults({
      toolsets: {
        'grafana/loki': { enabled: true, config: { api_url: 'http://a', timeout_seconds: value } },
      },
    });
  expect(faults(repeated('{{ env.A'))).toHaveLength(1);
  expect(faults('{{ env.A }}')).toEqual([]);
  expect(faults('{{env.A}}}')).toEqual([]);
  expect(faults('{{ env.A } }}')).toHaveLength(1);
});

test('quotes and dashes in a text with secrets', () => {
  expect(hideSecrets(`password={${repeated('"\\')}`)).toBe('password=***');
  expect(hideSecrets(repeated('-a'))).toBe(repeated('-a'));
  expect(hideSecrets('--password hunter2 -p x')).toBe('--password *** -p x');
  const login = Buffer.from(`${repeated(':')}\n`).toString('base64');
  expect(hideSecrets(`a Basic ${login}`)).not.toContain(login);
});

test('white space in overrides, and in what a credential plugin says', () => {
  const blanks = repeated(' ');
  const result = approve(`tools: {}\n#${blanks}x\n`, { namespace: 'shop', name: 'a' }, true);
  expect(result).toMatchObject({ text: expect.stringContaining('shop/a') });
  expect(credentialsError(new Error(`one${blanks}x`), 'aws').message).toBe(
    'the program aws failed with "one"; log in again',
  );
  expect(credentialsError(new Error(' one \n\n two\n'), 'aws').message).toContain('"one two"');
});

test('words like logins, and blanks after a key', () => {
  const words = `${repeated('m:=')} `;
  expect(hideSecrets(words)).toBe(words);
  expect(hideSecrets('x=me:hunter2@host:1, a@sha256:1')).toBe('x=***@host:1, a@sha256:1');
  const known = { shown: new Map<string, string>(), keys: new Set<string>() };
  expect(redactLines(`a:${repeated('\t')}\u2028x`, known, () => '***')).toBe('***');
});
