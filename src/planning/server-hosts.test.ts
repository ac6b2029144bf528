import { describe, expect, test } from 'vitest';
import { candidate } from '../../test/fixtures/unit/detection.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import { serverHosts, targetServices } from './server-hosts.ts';

const SERVER = {
  ...candidate(service('orders', { namespace: 'shop', labels: { app: 'mcp-server' }, ports: ['mcp:80'] })),
  sharesPods: [] as readonly string[],
};

describe('the hosts of a server', () => {
  test('are its Service, those of its Pods and of its backend, each once, with their cluster IPs, and its targets', () => {
    const hosts = serverHosts({
      ...SERVER,
      sharesPods: ['orders', 'twin'],
      alternates: ['twin', 'gateway'],
      clusterIPs: { orders: ['10.0.0.1', 'fd00::1'], gateway: ['10.0.0.2'] },
      targets: ['old.ops.svc', 'mcp.example.com'],
    });
    expect(hosts).toEqual([
      'orders.shop.svc.cluster.local',
      '10.0.0.1',
      'fd00::1',
      'twin.shop.svc.cluster.local',
      'gateway.shop.svc.cluster.local',
      '10.0.0.2',
      'old.ops.svc',
      'mcp.example.com',
    ]);
  });

  test('have the domain of the cluster if its endpoint shows it', () => {
    const at = (host: string): string[] => serverHosts({ ...SERVER, endpoint: { ...SERVER.endpoint, host } });
    expect(at('orders.shop.svc.k8s.example')).toEqual(['orders.shop.svc.k8s.example']);
    expect(at('mcp.a-domain-that-is-longer.example')).toEqual(['orders.shop.svc']);
    expect(at('orders.shop.svc')).toEqual(['orders.shop.svc']);
  });

  test('a Service with a name that every object inherits gets no IPs from it', () => {
    expect(serverHosts({ ...SERVER, alternates: ['constructor'], clusterIPs: {} })).toEqual([
      'orders.shop.svc.cluster.local',
      'constructor.shop.svc.cluster.local',
    ]);
  });

  test('of its Pods count if it has no other Service', () => {
    const { sharesPods: _, ...alone } = SERVER;
    expect(serverHosts(alone)).toEqual(['orders.shop.svc.cluster.local']);
    expect(serverHosts({ ...alone, sharesPods: ['twin'], alternates: [] })).toContain(
      'twin.shop.svc.cluster.local',
    );
  });

  test('are those of at most 50 Services and 50 targets', () => {
    const many = (name: string) => Array.from({ length: 60 }, (_, n) => `${name}-${n}`);
    const hosts = serverHosts({ ...SERVER, alternates: many('alternate'), targets: many('target') });
    expect(hosts).toHaveLength(100);
    expect(hosts.filter((host) => host.startsWith('target-'))).toEqual(many('target').slice(0, 50));
  });
});

test('the Services of a backend are those of its cluster that its targets name', () => {
  const targets = ['old.ops.svc', 'mcp.example.com', 'a.b.svc.cluster.local'];
  const east = { ...SERVER.service, cluster: 'east' };
  expect(targetServices({ ...SERVER, service: east, targets })).toEqual([
    { cluster: 'east', namespace: 'ops', name: 'old' },
    { cluster: 'east', namespace: 'b', name: 'a' },
  ]);
  expect(targetServices(SERVER)).toEqual([]);
});
