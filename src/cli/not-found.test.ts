import { expect, test } from 'vitest';
import type { Input } from '../app/pipeline.ts';
import { missingService } from './not-found.ts';

const INPUT = { kube: undefined, where: 'services.yaml' } as Input;
const said = (name: string, there: readonly string[]): Promise<string> =>
  missingService('shop', name, there, INPUT, AbortSignal.timeout(5_000));

test.each([
  ['its parts, and no other one instead', ['lgtm', 'lgtm:3100', 'loki'], 'it has lgtm:3100. For the whole'],
  ['that it has none', ['lgtm', 'loki:3100'], 'it has none. For the whole'],
])('a part that a Service does not have is explained with %s', async (_, there, expected) => {
  const text = await said('lgtm:3000', there);
  expect(text).toMatch(/^shop\/lgtm has no part lgtm:3000: a part is a port/);
  expect(text).toContain(expected);
  expect(text).not.toContain('did you mean');
});

test('a part of a Service that is not there is a Service that is not there', async () => {
  expect(await said('lgmt:3100', ['lgtm', 'lgtm:3100'])).toBe(
    'there is no Service shop/lgmt:3100 in services.yaml; did you mean shop/lgtm:3100?',
  );
});
