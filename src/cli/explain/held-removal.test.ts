import { expect, test } from 'vitest';
import { cliContext } from '../../../test/fixtures/unit/cli.ts';
import { clusterWith, publishedToolOf, serviceObject } from '../../../test/fixtures/unit/cluster-state.ts';
import { removals } from '../../planning/removals.ts';
import { explainCommand } from '../explain.ts';

const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const NAMES = ['loki-a', 'loki-b'];
const lost = NAMES.map((name) => ({
  ...{ tool: `${name}.shop`, namespace: 'shop', service: `shop/${name}`, cause: 'unhealthy' as const },
}));
const { note = '' } = removals(lost, new Map([['shop', 2]]), undefined, NOW, { hold: 300_000, once: false });

test('an unhealthy backend whose removal is held: until when, why, and how to release it', async () => {
  const kubeconfig = await clusterWith({
    services: NAMES.map((name) => serviceObject(name, 'loki', 3100)),
    tools: NAMES.map((name) => publishedToolOf(name, 'loki', 3100)),
    annotations: { 'kubernaut.io/removal-held': note },
  });
  const env = { PROBE: 'direct', CONNECT_TO: 'loki-a.shop.svc.cluster.local:3100:127.0.0.1:1' };
  const { cli, written } = cliContext({ env });
  await explainCommand('shop/loki-a', { kubeconfig, output: 'text' }, cli);
  const until = new Date(NOW + 300_000).toISOString().replace('.000', '');
  expect(written.result.split('Verdict\n')[1]).toMatch(
    new RegExp(
      `it stays published for now, and would otherwise be left out \\(Unhealthy: .*\\); it stays until ${until} at the latest, because most tools of .* annotation kubernaut.io/allow-removal=true\\n`,
    ),
  );
});
