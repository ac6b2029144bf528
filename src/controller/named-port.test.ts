import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { candidate, options, rules } from '../../test/fixtures/unit/detection.ts';
import { json, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { service } from '../../test/fixtures/unit/service.ts';
import type { Verdict } from '../model/discovery.ts';
import type { Prober } from '../probing/prober.ts';
import { ReadinessProber } from '../probing/readiness.ts';
import { discover } from './pass.ts';

const { signal } = new AbortController();
const slice = (ready: boolean) => ({
  metadata: {
    name: 'g-1',
    namespace: 'n',
    resourceVersion: '1',
    labels: { 'kubernetes.io/service-name': 'grafana' },
  },
  endpoints: [{ conditions: { ready } }],
});

describe('a headless Service whose target port has a name', () => {
  const headless = candidate(
    service('grafana', {
      namespace: 'n',
      headless: true,
      ports: [{ name: 'http', port: 3000, targetPort: 'web' }],
    }),
  );
  const ports = (...numbers: readonly number[]) => ({
    metadata: { resourceVersion: '1' },
    items: numbers.map((port, index) => {
      const { metadata, endpoints } = slice(index === 0);
      const labels = { ...metadata.labels, 'service.kubernetes.io/headless': '' };
      return {
        metadata: { ...metadata, name: `g-${9 - index}`, labels },
        endpoints,
        ports: [{ name: 'http', port }],
      };
    }),
  });
  /** Which port is asked, and what comes of it. */
  async function probed(answer: (response: ServerResponse) => void, byService: boolean) {
    const { kube } = await kubeServer(answer);
    const asked: number[] = [];
    const well: Verdict = {
      health: 'healthy',
      authRequired: false,
      proof: 'proven',
      reason: 'well',
      steps: [],
    };
    const inner: Prober = {
      probe: ({ endpoint }) => {
        asked.push(endpoint.port);
        return Promise.resolve(well);
      },
    };
    const prober = new ReadinessProber(kube, inner, { byService });
    const stages = { rules, problems: [], prober, detection: options, maxBackends: 10 };
    const { services } = await discover([headless.service], stages, signal);
    return {
      asked,
      services: services.map(({ endpoint, verdict: { health, reason } }) => ({
        port: endpoint.port,
        health,
        reason,
      })),
    };
  }

  test.each([false, true])('uses the number in its EndpointSlice (by Service: %s)', async (byService) => {
    const found = await probed((response) => json(response, ports(9090)), byService);
    expect(found).toEqual({ asked: [9090], services: [{ port: 9090, health: 'healthy', reason: 'well' }] });
  });

  test('uses the number of its ready Pods while they change', async () => {
    const found = await probed((response) => json(response, ports(9091, 9090)), false);
    expect(found.asked).toEqual([9091]);
  });

  test('is probed at the port of the Service if the number is unknown, whether that responds or not', async () => {
    const found = await probed((response) => refuse(response, 403, 'Forbidden'), false);
    expect(found.asked).toEqual([3000]);
  });

  test('has no URL if the number is unknown and the API server would resolve it for us', async () => {
    const found = await probed((response) => refuse(response, 403, 'Forbidden'), true);
    expect(found).toEqual({
      asked: [],
      services: [
        {
          port: 3000,
          health: 'unhealthy',
          reason: expect.stringMatching(/the named port web.*cannot be read/),
        },
      ],
    });
  });
});
