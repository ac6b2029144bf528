import { expect, test } from 'vitest';
import { cliContext } from '../../../test/fixtures/unit/cli.ts';
import { clusterWith, serviceObject } from '../../../test/fixtures/unit/cluster-state.ts';
import { explainCommand } from '../explain.ts';

test.each([
  ['2026-01-01T00:00:00Z', true],
  [new Date().toISOString(), false],
])(
  'a backend since %s that is not published: whether serve can publish is unknown',
  async (created, isOld) => {
    const kubeconfig = await clusterWith({
      services: [serviceObject('loki', 'loki', 3100, created)],
      tools: [],
    });
    const { cli, written } = cliContext({
      env: { PROBE: 'none', CONFIGMAP_NAMESPACE: 'obs', NAMESPACES: '*' },
    });
    await explainCommand('shop/loki', { kubeconfig, output: 'text' }, cli);
    expect(written.result).toContain('loki, not published: the next publication adds it');
    expect(
      written.result.includes(
        'say why: kubectl -n obs events --for configmap/kubernaut-toolset-config --types=Warning\n',
      ),
    ).toBe(isOld);
  },
);
