import { describe, expect, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { json, kubeconfigFor, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { ConfigError } from '../model/errors.ts';
import { historyCommand } from './history.ts';
import { rollbackCommand } from './rollback.ts';

/** A cluster without the ConfigMap and without its history. */
async function emptyCluster() {
  const { server } = await kubeServer((response, { path }) =>
    path.endsWith('/controllerrevisions')
      ? json(response, { metadata: { resourceVersion: '1' }, items: [] })
      : refuse(response, 404, 'NotFound'),
  );
  return { kubeconfig: await kubeconfigFor(server), configmapName: 'typo' };
}

const EXPECTED = /there is no ConfigMap \S+\/typo, and no history of it; .*--configmap-namespace/;

describe('without the ConfigMap and its history', () => {
  test.each([{}, { to: 3 }, { end: true }])(
    'rollback %o names it, and the flags that choose another',
    async (flags) => {
      const running = rollbackCommand({ ...flags, ...(await emptyCluster()) }, cliContext().cli);
      await expect(running).rejects.toThrow(EXPECTED);
      await expect(running).rejects.toBeInstanceOf(ConfigError);
    },
  );

  test('so does history', async () => {
    const { cli, written } = cliContext();
    const flags = { ...(await emptyCluster()), output: 'table' } as const;
    expect(await historyCommand(flags, cli)).toBe(0);
    expect(written.messages).toMatch(EXPECTED);
    await expect(historyCommand({ ...flags, revision: 1 }, cli)).rejects.toThrow(EXPECTED);
  });
});
