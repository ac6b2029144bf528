import { describe, expect, test } from 'vitest';
import { sameMcpServer, sameUrl } from './same-url.ts';

const IN_HOLMES = { clusterDomain: 'cluster.local', namespace: 'holmes' };
const FULL = 'http://mcp.shop.svc.cluster.local:80/api';

describe('the same place in any spelling', () => {
  test.each([
    'http://mcp.shop/api',
    'http://mcp.shop.svc/api',
    'http://mcp.shop.svc.cluster.local./api/',
    'HTTP://MCP.Shop.Svc.Cluster.Local:80/api//',
    'https://mcp.shop.svc:80/api',
    'http://user:secret@mcp.shop/api?x=1',
  ])('%s', (other) => {
    expect([sameUrl(FULL, other, IN_HOLMES), sameUrl(other, FULL, IN_HOLMES)]).toEqual([true, true]);
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
    'mcp.shop',
    '',
  ])('%s', (other) => {
    expect([sameUrl(FULL, other, IN_HOLMES), sameUrl(other, FULL, IN_HOLMES)]).toEqual([false, false]);
  });
});

test('a host of one label is a Service in the namespace of who asks, or in any where that is not known', () => {
  const short = 'http://mcp/api';
  expect(sameUrl(FULL, short, { clusterDomain: 'cluster.local', namespace: 'shop' })).toBe(true);
  expect(sameUrl(FULL, short, { clusterDomain: 'cluster.local' })).toBe(true);
  expect(sameUrl('http://mcp.shop.example.com/api', short, { clusterDomain: 'cluster.local' })).toBe(false);
  expect(sameUrl('http://mcp.other/api', FULL, { clusterDomain: 'cluster.local' })).toBe(false);
});

test('one MCP server has two transports, at paths of one base', () => {
  const same = (a: string, b: string): boolean => sameMcpServer(a, b, IN_HOLMES);
  expect(same('http://mcp.shop:8000/mcp', 'http://mcp.shop.svc:8000/sse')).toBe(true);
  expect(same('http://mcp.shop:8000', 'http://mcp.shop.svc:8000/sse/')).toBe(true);
  expect(same('http://mcp.shop:8000/team-a/mcp', 'http://mcp.shop:8000/team-a/sse')).toBe(true);
  expect(same('http://mcp.shop:8000/team-a/mcp', 'http://mcp.shop:8000/team-b/mcp')).toBe(false);
});
