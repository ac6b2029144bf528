import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect, test } from 'vitest';
import { inProcess } from './in-process.ts';

test('the description of the API passes the linter', async () => {
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

test('optional bodies are described as such, and problems once', async () => {
  const { app } = await inProcess();
  const { paths, components } = (await app.inject('/openapi.json')).json();
  const required = (path: string): boolean => paths[`/api/v1/${path}`].post.requestBody.required;
  expect(['discover', 'toolsets/generate', 'toolsets/validate'].map(required)).toEqual([false, false, true]);
  expect(paths['/api/v1/events'].get.responses[401].content['application/problem+json'].schema).toEqual({
    $ref: '#/components/schemas/Problem',
  });
  expect(components.schemas.Problem.required).toContain('request_id');
});

test('types are listed, and an optional body may be null', async () => {
  const { app } = await inProcess();
  const { paths } = (await app.inject('/openapi.json')).json();
  const type = paths['/api/v1/services'].get.parameters.find(({ name }: { name: string }) => name === 'type');
  expect(type.schema.enum).toContain('prometheus');
  const { schema } = paths['/api/v1/toolsets/generate'].post.requestBody.content['application/json'];
  expect(schema.anyOf[0].properties.services.items.properties.type.enum).toEqual(type.schema.enum);
  expect(schema.anyOf[1]).toEqual({ type: 'null' });
  for (const url of ['/api/v1/toolsets/generate', '/api/v1/discover?wait=true']) {
    const headers = { 'content-type': 'application/json' };
    const answer = await app.inject({ method: 'POST', url, headers, payload: 'null' });
    expect([url, answer.statusCode]).toEqual([url, 200]);
  }
});

test('every path rejects unsupported methods, with the allowed ones', async () => {
  const { app } = await inProcess();
  const { paths } = (await app.inject('/openapi.json')).json();
  for (const [path, operations] of Object.entries(paths)) {
    const url = path.replaceAll(/\{\w+\}/g, 'x');
    const answer = await app.inject({ method: 'QUERY' as 'GET', url });
    expect([path, answer.statusCode]).toEqual([path, 405]);
    for (const method of Object.keys(operations as object))
      expect(answer.headers.allow).toContain(method.toUpperCase());
  }
});

test('backends are listed by condition, with their identity, Services and conditions', async () => {
  const { app } = await inProcess();
  const { paths } = (await app.inject('/openapi.json')).json();
  const filter = paths['/api/v1/services'].get.parameters.find(
    ({ name }: { name: string }) => name === 'condition',
  );
  expect(filter.schema.enum).toContain('Published=False');
  const list = async (query: string) => (await app.inject(`/api/v1/services${query}`)).json().services;
  const all = await list('');
  const lists = await Promise.all(
    ['True', 'False', 'Unknown'].map((status) => list(`?condition=Published=${status}`)),
  );
  expect(lists.flat()).toHaveLength(all.length);
  for (const each of lists[0])
    expect(each.conditions).toContainEqual(expect.objectContaining({ type: 'Published', status: 'True' }));
  expect(new Set(all.map(({ id }: { id: string }) => id)).size).toBe(all.length);
  for (const { name, members, conditions } of all) {
    expect(members.map((member: { name: string }) => member.name)).toContain(name);
    expect(conditions.map(({ type }: { type: string }) => type)).toEqual(
      expect.arrayContaining(['Detected', 'Proven', 'Healthy', 'Published']),
    );
  }
  expect((await app.inject('/api/v1/services?condition=Published=Maybe')).statusCode).toBe(400);
  const { toolsets } = (await app.inject('/api/v1/toolsets')).json();
  expect(toolsets.map(({ backend }: { backend: string }) => backend)).toEqual(
    expect.arrayContaining(all.map(({ id }: { id: string }) => id)),
  );
});
