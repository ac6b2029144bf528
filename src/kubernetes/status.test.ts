import { expect, test } from 'vitest';
import { json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { InvalidResponseError } from './response.ts';
import { fromKubeconfig } from './server-text.ts';
import { ApiStatusError, clusterError, failureReason } from './status.ts';

const signal = new AbortController().signal;

async function errorOf(answer: Parameters<typeof kubeServer>[0], long = false): Promise<ApiStatusError> {
  const { kube } = await kubeServer(answer);
  const sent = long
    ? kube.stream({ path: '/x', timeout: 1_000, idleTimeout: 1_000 }, signal)
    : kube.request({ path: '/x' }, signal);
  return await sent.then(
    () => expect.unreachable(),
    (error: unknown) => error as ApiStatusError,
  );
}

test.each([false, true])('an error response of the API; for a long request: %s', async (long) => {
  const error = await errorOf(
    (response) => refuse(response, 429, 'TooManyRequests', { 'retry-after': '7' }),
    long,
  );
  expect(error).toBeInstanceOf(ApiStatusError);
  expect(error).toMatchObject({
    code: 429,
    reason: 'TooManyRequests',
    retryAfter: 7_000,
    message: 'refused: TooManyRequests',
  });
});

test.each<[string, string, number | undefined]>([
  ['nothing', '', undefined],
  ['no number', 'soon', undefined],
  ['a negative number', '-3', undefined],
  ['zero', '0', 0],
  ['a time in the past', 'Wed, 21 Oct 2015 07:28:00 GMT', undefined],
])('Retry-After with %s', async (_, header, expected) => {
  const error = await errorOf((response) =>
    refuse(response, 503, 'x', header === '' ? {} : { 'retry-after': header }),
  );
  expect(error.retryAfter).toBe(expected);
});

test('Retry-After with a date', async () => {
  const date = new Date(Date.now() + 60_000).toUTCString();
  const { retryAfter } = await errorOf((response) => refuse(response, 503, 'x', { 'retry-after': date }));
  expect(retryAfter).toBeGreaterThan(50_000);
  expect(retryAfter).toBeLessThanOrEqual(60_000);
});

test('the seconds in the status count if there is no header', async () => {
  const body = { message: 'later', details: { retryAfterSeconds: 2 } };
  expect((await errorOf((response) => json(response, body, 429))).retryAfter).toBe(2_000);
});

test('an error response of a proxy before the API server is shown, truncated', async () => {
  const error = await errorOf((response) =>
    response.writeHead(502).end(`<h1>Bad Gateway</h1>${'x'.repeat(1_000_000)}`),
  );
  expect(error.message).toBe('HTTP 502');
  const short = await errorOf((response) => response.writeHead(502).end('<h1>Bad Gateway</h1>'));
  expect(short.message).toBe('HTTP 502 <h1>Bad Gateway</h1>');
});

test('a response that is not JSON suggests what to check', async () => {
  const error = await errorOf((response) => response.end('<h1>Log in</h1>'));
  expect(clusterError(error, 'list Services', 'https://api').message).toMatch(
    /^cannot list Services: the answer is not JSON.*check that https:\/\/api is an API server/,
  );
});

test('how to grant a permission; another context is suggested only where there can be one', () => {
  const [laptop, pod] = [fromKubeconfig('https://a', 'prod', '/home/me/config'), 'https://10.0.0.1:443'];
  const advice = (message: string, server: string): string =>
    clusterError(new ApiStatusError(403, message), 'list Services', server).message.replace(/^.*?; /s, '');
  expect(laptop).toBe('https://a (context prod of /home/me/config)');
  expect(advice('no', laptop)).toBe('grant it with a Role and RoleBinding, or use another context');
  expect(advice('no', pod)).toBe('grant it with a Role and RoleBinding');
  expect(advice('no at the cluster scope', laptop)).toBe(
    'grant it with a ClusterRole and ClusterRoleBinding, name namespaces that you may read, or use another context',
  );
  expect(advice('no at the cluster scope', pod)).toBe(
    'grant it with a ClusterRole and ClusterRoleBinding, or name namespaces that you may read',
  );
});

test('a request that timed out says so', async () => {
  const { kube } = await kubeServer(() => {});
  const error = await kube.request({ path: '/x', timeout: 50 }, signal).catch((caught: unknown) => caught);
  expect(clusterError(error, 'list Services', 'https://api').message).toContain(
    'not reachable (no answer in time)',
  );
});

test.each<[string, unknown, string]>([
  ['no valid credentials', new ApiStatusError(401, 'x'), 'unauthenticated'],
  [
    'no permission, in an error for users',
    clusterError(new ApiStatusError(403, 'x'), 'list', 'https://a'),
    'denied',
  ],
  ['an expired version', new ApiStatusError(410, 'x'), 'expired'],
  ['too many requests', new ApiStatusError(429, 'x'), 'throttled'],
  ['another rejection by the server', new ApiStatusError(422, 'x'), 'refused'],
  ['an error of the server', new ApiStatusError(503, 'x'), 'server_error'],
  ['an invalid response', new InvalidResponseError('x'), 'bad_answer'],
  ['no answer in time', new DOMException('x', 'TimeoutError'), 'timeout'],
  ['no connection', Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'network'],
])('the reason of a failure, in one word: %s', (_, error, reason) => {
  expect(failureReason(error)).toBe(reason);
});

test.each([
  [
    'services is forbidden: User "u" cannot list resource "services" at the cluster scope',
    /a ClusterRole and/,
  ],
  ['services is forbidden: User "u" cannot list resource "services" in the namespace "shop"', /a Role and/],
])('the advice for "%s" grants it', async (message, advice) => {
  const error = await errorOf((response) => json(response, { kind: 'Status', message }, 403));
  expect(clusterError(error, 'list Services', 'x').message).toMatch(advice);
});

test('an error with a numeric code is described, too', () => {
  const error = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  expect(error.code).toBe(23);
  expect(clusterError(error, 'list Services', 'https://a').message).toMatch(
    /^cannot list Services: the cluster at https:\/\/a is not reachable \(no answer in time\); /,
  );
});
