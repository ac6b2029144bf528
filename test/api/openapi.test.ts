import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import { inProcess } from './in-process.ts';

test('the description of the API is as the linter recommends', async () => {
  const { app } = await inProcess();
  const answer = await app.inject('/openapi.json');
  expect(answer.statusCode).toBe(200);
  const problems = await lintFromString({
    source: answer.body,
    absoluteRef: '/openapi.json',
    config: await createConfig({ extends: ['recommended'] }),
  });
  const told = problems.map(
    ({ severity, ruleId, message, location }) =>
      `${severity} ${ruleId} ${location[0]?.pointer ?? ''}: ${message}`,
  );
  // Probes take nothing and ask for no token, so there is nothing that a client may do wrong.
  expect(told).toEqual(
    ['health', 'healthz', 'ready', 'readyz'].map(
      (path) =>
        `warn operation-4xx-response #/paths/~1${path}/get/responses: Operation must have at least one \`4XX\` response.`,
    ),
  );
});

test('bodies that may be left out are described so, and problems once', async () => {
  const { app } = await inProcess();
  const { paths, components } = (await app.inject('/openapi.json')).json();
  const required = (path: string): boolean => paths[`/api/v1/${path}`].post.requestBody.required;
  expect(['discover', 'toolsets/generate', 'toolsets/validate'].map(required)).toEqual([false, false, true]);
  expect(paths['/api/v1/events'].get.responses[401].content['application/problem+json'].schema).toEqual({
    $ref: '#/components/schemas/Problem',
  });
  expect(components.schemas.Problem.required).toContain('request_id');
});
