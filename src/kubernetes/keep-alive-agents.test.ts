import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { keepAliveAgents } from './keep-alive-agents.ts';

test('connections are reused for the same credentials; a change of agents lets running requests end', async () => {
  const waiting: ServerResponse[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    if (request.url === '/slow') waiting.push(response);
    else response.end('quick');
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const agentFor = keepAliveAgents(false);
  const ask = async (path: string, cert: string): Promise<IncomingMessage> => {
    const request = get({ port: (server.address() as AddressInfo).port, path, agent: agentFor({ cert }) });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  };
  await text(await ask('/', 'old'));
  await text(await ask('/', 'old'));
  expect(connections).toBe(1);

  const slow = ask('/slow', 'old');
  await text(await ask('/', 'old'));
  await text(await ask('/', 'new'));
  expect(connections).toBe(3);
  waiting[0]?.end('at last');
  expect(await text(await slow)).toBe('at last');
  expect(agentFor({ cert: 'new' })).toBe(agentFor({ cert: 'new' }));

  const open = () => new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
  await expect.poll(open).toBe(1);
  agentFor({ cert: 'newer' });
  await expect.poll(open).toBe(0);
});
