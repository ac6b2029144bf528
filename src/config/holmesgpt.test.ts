import { expect, test } from 'vitest';
import { ConfigError, type UserError } from '../model/errors.ts';
import { holmesgptPlan, unusedHolmesgptSettings } from './holmesgpt.ts';
import { givenSettings, readSettings } from './settings.ts';

const planOf = (env: Readonly<Record<string, string>>) =>
  holmesgptPlan(readSettings(givenSettings({}, env)), env.HOLMESGPT_API_KEY);

const HOLMES = { HOLMESGPT_DEPLOYMENT: 'ai/my-holmes' };
const deployment = { namespace: 'ai', name: 'my-holmes' };

test('does nothing by default', () => {
  expect(planOf({})).toBeUndefined();
});

test.each([
  [
    { ...HOLMES, HOLMESGPT_CONFIGMAP: 'true' },
    { writeFor: deployment, reload: undefined, reloadInterval: 300_000 },
  ],
  [
    { ...HOLMES, HOLMESGPT_RELOAD: 'restart', HOLMESGPT_RELOAD_INTERVAL: '1m' },
    { writeFor: undefined, reload: { how: 'restart', deployment }, reloadInterval: 60_000 },
  ],
  [
    { HOLMESGPT_RELOAD: 'endpoint', HOLMESGPT_URL: 'http://holmes.ai', HOLMESGPT_API_KEY: 's3cret' },
    { reload: { how: 'endpoint', url: new URL('http://holmes.ai'), apiKey: 's3cret' } },
  ],
])('%j', (env, plan) => {
  expect(planOf(env)).toMatchObject(plan);
});

test('a Deployment alone does nothing, with a warning, so that what uses it can be switched off', () => {
  expect(planOf(HOLMES)).toBeUndefined();
  const warning = (env: Readonly<Record<string, string>>) =>
    unusedHolmesgptSettings(readSettings(givenSettings({}, env)));
  expect(warning(HOLMES)).toEqual([
    expect.stringMatching(/HOLMESGPT_DEPLOYMENT .*alone does nothing; set .*, or unset it$/),
  ]);
  expect(warning({ ...HOLMES, HOLMESGPT_CONFIGMAP: 'true' })).toEqual([]);
  expect(warning({ ...HOLMES, HOLMESGPT_RELOAD: 'restart' })).toEqual([]);
  expect(warning({})).toEqual([]);
});

test('a URL that is left over when HolmesGPT is restarted instead is a warning, and the rest applies', () => {
  const env = { ...HOLMES, HOLMESGPT_RELOAD: 'restart', HOLMESGPT_URL: 'http://h' };
  expect(planOf(env)).toMatchObject({ reload: { how: 'restart', deployment } });
  expect(planOf({ HOLMESGPT_URL: 'http://h' })).toBeUndefined();
  expect(unusedHolmesgptSettings(readSettings(givenSettings({}, env)))).toEqual([
    'HOLMESGPT_URL (--holmesgpt-url) has no effect, because HOLMESGPT_RELOAD (--holmesgpt-reload) is restart; set that to endpoint, or unset the URL',
  ]);
});

test.each([
  [{ HOLMESGPT_CONFIGMAP: 'true' }, /HOLMESGPT_CONFIGMAP.*set HOLMESGPT_DEPLOYMENT/],
  [{ HOLMESGPT_RELOAD: 'restart' }, /restart.*set HOLMESGPT_DEPLOYMENT/],
  [{ HOLMESGPT_RELOAD: 'endpoint' }, /endpoint.*set HOLMESGPT_URL/],
  [{ HOLMESGPT_DEPLOYMENT: 'holmes' }, /NAMESPACE\/NAME/],
  [{ HOLMESGPT_DEPLOYMENT: 'a/b/c' }, /NAMESPACE\/NAME/],
  [{ HOLMESGPT_RELOAD: 'now' }, /none, restart, endpoint/],
  [{ HOLMESGPT_RELOAD: 'endpoint', HOLMESGPT_URL: 'ftp://h' }, /http or https/],
  [{ HOLMESGPT_RELOAD: 'endpoint', HOLMESGPT_URL: 'http://u:topsecret@h' }, /without credentials/],
  [
    { HOLMESGPT_RELOAD: 'endpoint', HOLMESGPT_URL: 'http://h', HOLMESGPT_API_KEY: 'top\nsecret' },
    /HOLMESGPT_API_KEY/,
  ],
])('%j is rejected, with what to set', (env, message) => {
  let thrown: unknown;
  try {
    planOf(env);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(ConfigError);
  expect((thrown as UserError).message).toMatch(message);
  expect((thrown as UserError).message).not.toContain('secret');
});
