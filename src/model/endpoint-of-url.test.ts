import { expect, test } from 'vitest';
import { endpointOfUrl } from './endpoint-of-url.ts';

test.each<[string, boolean, object]>([
  ['http://loki:3100/', false, { scheme: 'http', host: 'loki', port: 3100, path: '' }],
  ['https://loki.shop/loki//', false, { scheme: 'https', host: 'loki.shop', port: 443, path: '/loki' }],
  ['http://mcp.shop:8000/mcp/', true, { scheme: 'http', host: 'mcp.shop', port: 8000, path: '/mcp/' }],
  ['http://mcp.shop', true, { scheme: 'http', host: 'mcp.shop', port: 80, path: '' }],
])('%s, of an MCP server: %s', (url, isMcp, endpoint) => {
  expect(endpointOfUrl(url, isMcp)).toEqual(endpoint);
});
