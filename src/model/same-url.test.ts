import { describe, expect, test } from 'vitest';
import {
  leadsToHost,
  maybeSameServer,
  nameOfAddress,
  sameBackend,
  sameMcpServer,
  serverWords,
} from './same-url.ts';

const FULL = 'http://mcp.shop.svc.cluster.local:80/api';

describe('the same place in any spelling', () => {
  test.each([
    'http://mcp.shop/api',
    'http://mcp.shop.svc/api',
    'http://mcp.shop.svc.cluster.local./api/',
    'HTTP://MCP.Shop.Svc.Cluster.Local:80/api//',
    'https://mcp.shop.svc:80/api',
    'http://user:secret@mcp.shop/api?x=1',
    'http://user:{{ env.PASSWORD }}@mcp.shop/api',
    "http://{{ env.USER }}:{{ env['a/b@c'] }}@mcp.shop/api?token={{ env.TOKEN }}#x",
    'mcp.shop:80/api',
  ])('%s', (other) => {
    expect(sameBackend(other, FULL, 'holmes')).toBe(true);
    expect(sameMcpServer(other, FULL, 'holmes')).toBe(true);
  });
});

describe('another place', () => {
  test.each([
    'http://mcp.shop:8080/api',
    'https://mcp.shop/api',
    'http://mcp.other/api',
    'http://mcp/api',
    'http://mcp.shop.svc.clusterset.local/api',
    'http://mcp.shop/API',
    'http://mcp.shop/api/v2',
    'http://0.mcp.shop/api',
    '{{ env.URL }}',
    'http://{{ env.HOST }}/api',
    'http://user:{{ env.PASSWORD }}@{{ env.HOST }}/api',
    'http://{{ env.URL }}@other/?@mcp.shop/api',
    'mcp.shop',
    '',
  ])('%s', (other) => {
    expect(sameBackend(other, FULL, 'holmes')).toBe(false);
    expect(sameMcpServer(other, FULL, 'holmes')).toBe(false);
  });
});

test("a single label is a Service in the agent's namespace; if that is unknown, only an MCP server in any namespace", () => {
  const short = 'http://mcp/api';
  expect(sameBackend(short, FULL, 'shop')).toBe(true);
  expect(sameBackend(short, FULL)).toBe(false);
  expect(sameMcpServer(short, FULL, 'shop')).toBe(true);
  expect(sameMcpServer(short, FULL)).toBe(true);
  expect(sameMcpServer(short, 'http://mcp.shop.example.com/api')).toBe(false);
});

test('one MCP server may have two transports, at paths below one base', () => {
  const server = (path: string): string => `http://mcp.shop.svc.cluster.local:8000${path}`;
  expect(sameMcpServer('http://mcp.shop:8000/mcp', server('/sse'))).toBe(true);
  expect(sameMcpServer('http://mcp.shop:8000', server('/sse/'))).toBe(true);
  expect(sameMcpServer('http://mcp.shop:8000/team-a/mcp', server('/team-a/sse'))).toBe(true);
  expect(sameMcpServer('http://mcp.shop:8000/team-a/mcp', server('/team-b/mcp'))).toBe(false);
  expect(sameBackend('http://mcp.shop:8000/mcp', server('/sse'))).toBe(false);
});

test('a backend is named after its Service, otherwise after its host', () => {
  expect(nameOfAddress(FULL)).toBe('mcp.shop');
  expect(nameOfAddress('https://loki.example.com/x')).toBe('loki.example.com');
  expect(nameOfAddress(undefined)).toBe('discovered');
});

describe('a Pod of a headless Service', () => {
  const hosts = ['mcp.shop.svc.cluster.local'];

  test.each([
    'http://pod-0.mcp.shop.svc.cluster.local/mcp',
    'http://10-0-0-1.mcp.shop.svc:8000/mcp',
    'http://POD-0.mcp.shop/mcp',
  ])('%s leads to that Service', (url) => {
    expect(leadsToHost(url, hosts)).toBe(true);
    expect(leadsToHost(url, ['mcp.shop.svc'])).toBe(true);
  });

  test('by its name alone, only in the namespace of the agent', () => {
    expect(leadsToHost('http://pod-0.mcp/mcp', hosts, 'shop')).toBe(true);
    expect(leadsToHost('http://pod-0.mcp/mcp', hosts, 'holmes')).toBe(false);
    expect(leadsToHost('http://pod-0.mcp/mcp', hosts)).toBe(false);
  });

  test('but another host with the same suffix does not', () => {
    expect(leadsToHost('http://my-mcp.shop.svc.cluster.local/mcp', hosts)).toBe(false);
    expect(leadsToHost('http://mcp.shop.svc.example.com/mcp', hosts)).toBe(false);
  });
});

test('servers that are the same have a word in common', () => {
  const hosts = [
    'orders',
    'orders.shop',
    'orders.shop.svc',
    'orders.shop.svc.cluster.local',
    'pod-0.orders.shop',
    'pod-0.orders.shop.svc',
    'pod-0.orders.shop.svc.cluster.local',
    'a.pod-0.orders.shop.svc',
    'orders.sales.svc',
    'Orders.Example.com.',
    '10.0.0.7',
    'fd00::7',
  ];
  const urlOf = (host: string): string => `http://${host.includes(':') ? `[${host}]` : host}:8000/mcp`;
  const share = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
    [...a].some((word) => b.has(word));
  for (const a of hosts)
    for (const b of hosts) {
      const words = serverWords(urlOf(a), []);
      if (maybeSameServer(urlOf(a), urlOf(b))) expect(share(words, serverWords(urlOf(b), []))).toBe(true);
      if (leadsToHost(urlOf(a), [b])) expect(share(words, serverWords(undefined, [b]))).toBe(true);
    }
  const template = 'http://{{ env.HOST }}/mcp';
  expect(share(serverWords(template, []), serverWords(template, []))).toBe(true);
  expect(share(serverWords(urlOf('a.shop'), []), serverWords(urlOf('b.shop'), []))).toBe(false);
});
