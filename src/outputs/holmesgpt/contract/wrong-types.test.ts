import { expect, test } from 'vitest';
import { patchFaults } from '../merge/patch.ts';
import type { HolmesPatch } from '../overrides.ts';

const loki = (entry: object): HolmesPatch => ({ toolsets: { 'grafana/loki': entry } }) as HolmesPatch;

test.each<[string, HolmesPatch, string, string]>([
  [
    'a number',
    loki({ config: { api_url: 5 } }),
    'toolsets.grafana/loki.config.api_url',
    'a string, but is a number',
  ],
  [
    'a list',
    loki({ config: { api_url: ['a'] } }),
    'toolsets.grafana/loki.config.api_url',
    'a string, but is a list',
  ],
  [
    'a mapping',
    loki({ config: { api_url: { a: 1 } } }),
    'toolsets.grafana/loki.config.api_url',
    'a string, but is a mapping',
  ],
  ['no mapping', loki({ config: 5 }), 'toolsets.grafana/loki.config', 'a mapping, but is a number'],
  [
    'no list',
    loki({ config: { instances: 5 } }),
    'toolsets.grafana/loki.config.instances',
    'a list, but is a number',
  ],
  [
    'no instance',
    loki({ config: { instances: [5] } }),
    'toolsets.grafana/loki.config.instances.0',
    'a mapping, but is a number',
  ],
  [
    'a backend',
    loki({ backends: { 'a/b': { api_url: 5 } } }),
    'toolsets.grafana/loki.backends.a/b.api_url',
    'a string, but is a number',
  ],
  [
    'a host',
    { toolsets: { a: { type: 'http', config: { endpoints: [{ hosts: [5] }] } } } },
    'toolsets.a.config.endpoints.0.hosts.0',
    'a string, but is a number',
  ],
  [
    'a server',
    { mcp_servers: { a: { config: { url: 5 } } } },
    'mcp_servers.a.config.url',
    'a string, but is a number',
  ],
  [
    'a server, beside config',
    { mcp_servers: { a: { url: ['x'] } } },
    'mcp_servers.a.url',
    'a string, but is a list',
  ],
])(
  '%s in place of another value is told with its path, what is there and what must be',
  (_, patch, path, words) => {
    const faults = patchFaults(patch).filter(({ level }) => level === 'fault');
    expect(faults.map((each) => `${each.path.join('.')}: ${each.message}`)).toContain(
      `${path}: must be ${words}`,
    );
  },
);

test.each<[string, HolmesPatch]>([
  ['an incomplete change', loki({ config: { timeout_seconds: 5 } })],
  ['a removed value', loki({ config: { api_url: null } })],
  ['a backend that is removed', loki({ backends: { 'a/b': { api_url: null } } })],
  ['a toolset that is off', loki({ enabled: false, config: { api_url: 5 } })],
])('%s has no such fault', (_, patch) => {
  expect(patchFaults(patch)).toEqual([]);
});
