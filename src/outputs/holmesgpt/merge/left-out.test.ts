import { expect, test } from 'vitest';
import type { Mapping } from '../../../model/mapping.ts';
import type { PublishedTool } from '../../../model/published-tools.ts';
import { holmesText } from '../render/text.ts';
import { runMerge } from './merge-task.ts';

const tool = (service: string, type: string, port: number): PublishedTool => ({
  name: service,
  type,
  endpoint: `http://${service}.obs.svc.cluster.local:${port}`,
  description: '',
  namespace: 'obs',
  metadata: { service },
});
const PROMETHEUS = tool('prom', 'prometheus', 9090);
const ORDERS: PublishedTool = {
  ...tool('orders', 'mcp', 8080),
  endpoint: 'http://orders.obs.svc.cluster.local:8080/mcp',
  metadata: { service: 'orders', hosts: 'orders.obs.svc,10.0.0.7' },
};
const GENERATED = {
  toolsets: {
    'prometheus/metrics': {
      enabled: true,
      config: { instances: [{ name: 'prom', prometheus_url: PROMETHEUS.endpoint }] },
    },
  },
  mcp_servers: {
    'obs/orders': {
      description: 'Orders.',
      config: { url: ORDERS.endpoint, mode: 'streamable-http' },
      approval_required_tools: ['delete_*'],
    },
  },
};

/** What HolmesGPT does with the file, with this text of people in its own ConfigMap. */
function inForce(person: Mapping) {
  const merge = runMerge({
    kind: 'merge-for-agent',
    offered: holmesText(GENERATED),
    live: { data: { 'custom_toolset.yaml': holmesText(person) }, annotations: {} },
    tools: [PROMETHEUS, ORDERS],
    options: { holmesgptVersion: '0.32', namespace: 'holmesgpt' },
  });
  if (merge.kind === 'refused') throw new Error(merge.what);
  return merge.inForce;
}

const url = (text: string): Mapping => ({ config: { url: text, mode: 'streamable-http' } });

test.each<[string, Mapping, readonly (readonly string[])[]]>([
  ['nothing', {}, []],
  ['another server', { mcp_servers: { other: url('http://other.obs:8080/mcp') } }, []],
  ['the server by the URL', { mcp_servers: { mine: url(ORDERS.endpoint) } }, [['obs/orders', 'listed']]],
  [
    'the server by its cluster IP',
    { mcp_servers: { mine: url('http://10.0.0.7:9/sse') } },
    [['obs/orders', 'listed']],
  ],
  ['the server by its own key', { mcp_servers: { 'obs/orders': { description: 'Mine.' } } }, []],
  ['the removal of the server', { mcp_servers: { 'obs/orders': null } }, [['obs/orders', 'removed']]],
  [
    'a switched-off toolset',
    { toolsets: { 'prometheus/metrics': { enabled: false } } },
    [['obs/prom', 'removed']],
  ],
  [
    'another backend',
    { toolsets: { 'prometheus/metrics': { config: { prometheus_url: 'http://thanos:9090' } } } },
    [],
  ],
  [
    'an empty list',
    { toolsets: { 'prometheus/metrics': { config: { instances: null } } } },
    [['obs/prom', 'removed']],
  ],
])('what people write in HolmesGPT’s own ConfigMap leaves out: %s', (_, person, expected) => {
  expect(inForce(person).leftOut.map(({ key, cause }) => [key, cause])).toEqual(expected);
});

test.each<[string, Mapping, Mapping]>([
  ['the same', { description: 'Mine.' }, {}],
  ['another one', { approval_required_tools: ['get_x'] }, { 'obs/orders': ['get_x'] }],
  ['none', { approval_required_tools: null }, { 'obs/orders': [] }],
  ['of a server of its own, another one', url('http://mine/mcp'), { 'obs/orders': ['*'] }],
])('the list of tools before which the agent asks is %s', (_, server, lists) => {
  const person = { mcp_servers: { 'obs/orders': server, other: url('http://x/mcp') } };
  expect(inForce(person).lists).toEqual(lists);
});
