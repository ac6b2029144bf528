import { expect, test } from 'vitest';
import { ClusterError } from '../../src/model/errors.ts';
import { hideSecrets } from '../../src/model/redact-text.ts';
import { SMALL } from '../../src/model/yaml-document.ts';
import { checkText } from '../../src/outputs/check-text.ts';

const S = 'glsa_S3CR3TVALUE12345';

test.each([
  `cannot keep ControllerRevisions: data: {"overrides.yaml":"api_key: ${S}\\n"}`,
  `connection_url: postgresql://reader:${S}@orders.shop:5432/orders`,
  `cannot reach https://me:${S}@host/ (Authorization: Bearer ${S})`,
  `admission webhook "x" denied the request: password=${S}`,
])('a secret in an error message is hidden: %s', (message) => {
  const error = new ClusterError(message);
  expect(error.message).not.toContain(S);
  expect(error.message).toContain('***');
  expect(error.stack).not.toContain(S);
});

test.each([
  'holmesgpt:\n  toolsets:\n    x:\n      type: http\n      config: { api_key: 5, token: [1], endpoints: [{auth: 5, hosts: 1}] }\n',
  'tools:\n  a: { token: 1, enabled: maybe }\n  password: 5\n  secret: { type: "#", endpoint: x }\n',
])('a fault of a field with a secret-like name is reported: %#', (text) => {
  const { faults } = checkText('overrides', text, SMALL);
  expect(faults).not.toEqual([]);
  for (const { message } of faults) expect(hideSecrets(message)).toBe(message);
});

test('no fault contains the value of such a field', () => {
  const text = `tools:\n  a: { enabled: { token: ${S} } }\n  password: ${S}\n  secret: ${S}\nholmesgpt:\n  toolsets:\n    x: ${S}\n    token: ${S}\n`;
  const { faults } = checkText('overrides', text, SMALL);
  expect(faults.length).toBeGreaterThan(2);
  expect(JSON.stringify(faults.map(({ message }) => hideSecrets(message)))).not.toContain(S);
});
