import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import { ReadModel } from '../controller/read-model.ts';
import { health } from './health.ts';

test('anonymous clients see the state of each check, and authorized ones the last error too', async () => {
  const readModel = new ReadModel({ now: () => new Date(0) });
  readModel.sourceUnavailable('https://10.0.0.1 is not reachable');
  const app = fastify();
  onTestFinished(() => app.close());
  health(
    readModel,
    () => false,
    async ({ headers }) => headers.authorization === 'Bearer good',
  )(app);
  const checks = async (headers = {}) => {
    const answer = await app.inject({ url: '/ready', headers });
    expect(answer.statusCode).toBe(503);
    return answer.json().checks.kubernetes;
  };
  const state = { status: 'failing', since: '1970-01-01T00:00:00.000Z' };
  expect(await checks()).toEqual(state);
  expect(await checks({ authorization: 'Bearer bad' })).toEqual(state);
  expect(await checks({ authorization: 'Bearer good' })).toEqual({
    ...state,
    error: 'https://10.0.0.1 is not reachable',
  });
});
