import { expect, test } from 'vitest';
import { discovered } from '../../../../test/fixtures/unit/detection.ts';
import { service } from '../../../../test/fixtures/unit/service.ts';
import { discoveredTool } from '../../../planning/tools.ts';
import { holdersIn, rendered } from './holders.ts';

const SERVER = discoveredTool(discovered(service('orders-mcp', { ports: ['mcp:8080'] })));
const key = `${SERVER.namespace}/orders-mcp`;

test('a server of the published file holds its place, whether the file is parsed or was rendered here', () => {
  const text = `mcp_servers:\n  ${key}: {}\n`;
  expect(holdersIn(text).any(SERVER)).toBe(true);
  expect(holdersIn(text.replace('orders', 'other')).any(SERVER)).toBe(false);
  rendered('text of a file', { mcp_servers: { [key]: {} } });
  expect(holdersIn(text.replace('orders', 'other')).any(SERVER)).toBe(false);
  expect(holdersIn('text of a file').any(SERVER)).toBe(true);
  rendered('text of another one', {});
  expect(holdersIn('text of a file').any(SERVER)).toBe(true);
  expect(holdersIn(undefined).any(SERVER)).toBe(false);
});

test('a part holds the place of a host, which is that of its Service', () => {
  const whole = discovered(service('loki', { labels: { app: 'loki' }, ports: ['http:3100'] }));
  const part = discoveredTool({ ...whole, service: { ...whole.service, name: 'loki:3100' } });
  const text =
    'toolsets: { grafana/loki: { config: { api_url: "http://NAME.monitoring.svc.cluster.local:80/x" } } }';
  expect(holdersIn(text.replace('NAME', 'loki')).any(part)).toBe(true);
  expect(holdersIn(text.replace('NAME', 'other')).any(part)).toBe(false);
});
