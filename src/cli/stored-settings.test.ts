import { describe, expect, test } from 'vitest';
import { cliContext } from '../../test/fixtures/unit/cli.ts';
import { json, kubeconfigFor, kubeServer, refuse } from '../../test/fixtures/unit/kube-server.ts';
import { OTHER_DOCUMENTS } from '../../test/fixtures/unit/other-documents.ts';
import { discoverCommand } from './discover.ts';
import { explainCommand } from './explain.ts';
import { generateCommand } from './generate.ts';

const GRAFANA = {
  metadata: {
    namespace: 'shop',
    name: 'grafana',
    labels: { 'app.kubernetes.io/name': 'grafana' },
    resourceVersion: '1',
    uid: 'u',
  },
  spec: { selector: { app: 'grafana' }, ports: [{ name: 'http', port: 3000 }], clusterIP: '10.0.0.1' },
};

const MCP = {
  metadata: {
    namespace: 'shop',
    name: 'orders',
    resourceVersion: '1',
    uid: 'm',
  },
  spec: { selector: { app: 'orders' }, ports: [{ name: 'mcp', port: 8080 }], clusterIP: '10.0.0.2' },
};

const SEARCHED = 'kubernaut.io/searched-namespaces';

/**
 * Runs `explain` and `discover` in a cluster with Grafana in `shop` and these settings of `serve`; nothing is published.
 * @param searched the namespaces that `serve` recorded
 */
async function shown(settings: Readonly<Record<string, string>> | undefined, searched?: string) {
  const { server } = await kubeServer((response, { path }) => {
    if (path.endsWith('/configmaps/dynamic-toolset-config'))
      return settings === undefined
        ? refuse(response, 403, 'Forbidden')
        : json(response, { metadata: { resourceVersion: '1' }, data: settings });
    if (path.endsWith('/configmaps/kubernaut-toolset-config'))
      return json(response, {
        metadata: {
          resourceVersion: '1',
          annotations: searched === undefined ? {} : { [SEARCHED]: searched },
        },
      });
    const items = path.endsWith('/services') && (path.includes('/shop/') || !path.includes('/namespaces/'));
    if (path.endsWith('/services') || path.endsWith('/endpointslices'))
      return json(response, { metadata: { resourceVersion: '5' }, items: items ? [GRAFANA] : [] });
    refuse(response, 404, 'NotFound');
  });
  const kubeconfig = await kubeconfigFor(server);
  const explain = cliContext({ env: { PROBE: 'none' } });
  await explainCommand('shop/grafana', { kubeconfig, output: 'text' }, explain.cli);
  const discover = cliContext({ env: { PROBE: 'none' } });
  await discoverCommand({ kubeconfig, output: 'wide', allNamespaces: true }, discover.cli);
  const { result, messages } = discover.written;
  return {
    verdict: explain.written.result.split('Verdict\n  ')[1]?.split('\nWhat you can do')[0],
    published: result.trim().split(/\s+/).at(-1),
    messages: explain.written.messages + messages,
  };
}

describe('explain and discover use the settings of serve', () => {
  test('a namespace that serve does not watch is the reason, with what to change', async () => {
    const { verdict, published } = await shown({ namespaces: 'monitoring,ops' });
    expect(verdict).toEqual(
      expect.stringMatching(
        `^grafana, not published: serve watches monitoring, ops only; to have it published, add shop to the setting NAMESPACES of serve, which also publishes MCP servers and annotated Services there without approval; even then, this remains: in ${OTHER_DOCUMENTS} only: .*credentials`,
      ),
    );
    expect(published).toBe('NamespaceNotWatched');
  });

  test('credentials of serve count', async () => {
    const without = await shown({ namespaces: 'shop' });
    expect(without.verdict).toContain(`adds it, in ${OTHER_DOCUMENTS} only: the agent needs credentials`);
    const credentials = 'shop/grafana: {apiKey: GRAFANA_KEY}\n';
    const { verdict, published } = await shown({ namespaces: '*', credentials });
    expect(verdict).toBe('grafana, not published: the next publication adds it\n');
    expect(published).toBe('NotYetPublished');
  });

  test('where they cannot be read, or do not name namespaces, the message says what is unknown', async () => {
    const expected = 'the next publication adds it, if serve watches namespace shop';
    expect((await shown(undefined)).verdict).toContain(
      `${expected}, and the settings that serve uses, which are unknown here, allow it, in ${OTHER_DOCUMENTS} only: `,
    );
    expect((await shown({ 'log-level': 'debug' })).verdict).toContain(
      `${expected}, in ${OTHER_DOCUMENTS} only: `,
    );
  });

  test('the namespaces that serve recorded count, whatever the settings ConfigMap has', async () => {
    const elsewhere = await shown(undefined, 'monitoring,ops');
    expect(elsewhere.verdict).toContain('not published: serve watches monitoring, ops only');
    expect(elsewhere.published).toBe('NamespaceNotWatched');
    expect((await shown(undefined, '*')).verdict).not.toContain('if serve watches');
    expect((await shown({ namespaces: 'shop' }, 'monitoring')).published).toBe('NamespaceNotWatched');
    expect((await shown({ namespaces: 'monitoring' }, 'shop')).published).not.toBe('NamespaceNotWatched');
  });

  test('where the ConfigMap cannot be read, approvals are unknown, and a warning says so', async () => {
    const { server } = await kubeServer((response, { path }) => {
      if (path.endsWith('/services') || path.endsWith('/endpointslices'))
        return json(response, {
          metadata: { resourceVersion: '5' },
          items: path.endsWith('/services') ? [MCP] : [],
        });
      refuse(response, 403, 'Forbidden');
    });
    const kubeconfig = await kubeconfigFor(server);
    for (const namespace of [undefined, 'shop']) {
      const explain = cliContext({ env: { PROBE: 'none' } });
      const flags = namespace === undefined ? {} : { namespace };
      await explainCommand('shop/orders', { kubeconfig, output: 'text', ...flags }, explain.cli);
      expect(explain.written.result).toMatch(
        /Verdict\n {2}mcp, overrides\.yaml cannot be read here, so whether it is approved and published is unknown\n/,
      );
      expect(explain.written.messages).toMatch(
        /warning: ConfigMap \S+kubernaut-toolset-config: cannot be read, so overrides, approvals and what is published are unknown here: .*permission/s,
      );
    }
    const discover = cliContext({ env: { PROBE: 'none' } });
    await discoverCommand({ kubeconfig, output: 'wide', namespace: 'shop' }, discover.cli);
    expect(discover.written.result).toMatch(/ unknown\n$/);
    expect(discover.written.messages).toContain('cannot be read, so overrides, approvals');
  });

  describe('where overrides.yaml in the cluster is invalid', () => {
    const invalid = async (
      annotations: Record<string, string> = {},
      text = 'tools:\n  shop/orders: {approvd: mcp}\n',
    ) => {
      const { server } = await kubeServer((response, { path }) => {
        if (path.endsWith('/configmaps/kubernaut-toolset-config'))
          return json(response, {
            metadata: { resourceVersion: '1', annotations: { [SEARCHED]: '*', ...annotations } },
            data: { 'overrides.yaml': text },
          });
        if (path.endsWith('/services') || path.endsWith('/endpointslices'))
          return json(response, {
            metadata: { resourceVersion: '5' },
            items: path.endsWith('/services') ? [MCP, GRAFANA] : [],
          });
        refuse(response, 404, 'NotFound');
      });
      return kubeconfigFor(server);
    };
    const env = { PROBE: 'none', NAMESPACES: '*' };
    const FAULT = 'line 2, column 17: tools.shop/orders: unknown key "approvd"; did you mean approved?';

    test('explain and discover warn, with its place', async () => {
      const kubeconfig = await invalid();
      const [explain, discover] = [cliContext({ env }), cliContext({ env })];
      await explainCommand('shop/orders', { kubeconfig, output: 'text' }, explain.cli);
      await discoverCommand({ kubeconfig, output: 'wide' }, discover.cli);
      for (const { messages } of [explain.written, discover.written])
        expect(messages).toContain(
          `warning: overrides.yaml of ConfigMap kubernaut-system/kubernaut-toolset-config: cannot be used, so overrides and approvals are unknown here, and no tool is published until it is fixed: ${FAULT}\n`,
        );
      expect(discover.written.result).toMatch(/orders .* unknown +OverridesInvalid\n/);
    });

    test.each(['shop/orders', 'shop/grafana'])(
      'explain of %s gives the fault and no command that fails',
      async (service) => {
        const { cli, written } = cliContext({ env });
        await explainCommand(service, { kubeconfig: await invalid(), output: 'text' }, cli);
        expect(written.result).toContain(
          `, not published: overrides.yaml cannot be used, so what is published stays as it is: ${FAULT}; fix it\n`,
        );
        expect(written.result).not.toContain('dynamic-toolset approve');
        if (service === 'shop/orders')
          expect(written.result).toMatch(
            /Approved +Unknown +ApprovalUnknown: overrides\.yaml cannot be used/,
          );
      },
    );

    test('the fault that serve recorded does not count once the file is right', async () => {
      const annotations = { 'kubernaut.io/override-error': 'line 1' };
      const kubeconfig = await invalid(annotations, 'tools: {}\n');
      const { cli, written } = cliContext({ env });
      await explainCommand('shop/grafana', { kubeconfig, output: 'text' }, cli);
      expect(written.result).not.toContain('cannot be used');
      expect(written.messages).not.toContain('cannot be used');
    });
  });

  test.each([
    ['*', 'waiting'],
    ['shop', 'trusted'],
    ['ops', 'waiting'],
  ])('whether an MCP server is trusted depends on what serve searched: %s', async (searched, approval) => {
    const { server } = await kubeServer((response, { path }) => {
      if (path.endsWith('/configmaps/kubernaut-toolset-config'))
        return json(response, { metadata: { resourceVersion: '1', annotations: { [SEARCHED]: searched } } });
      if (path.endsWith('/services') || path.endsWith('/endpointslices'))
        return json(response, {
          metadata: { resourceVersion: '5' },
          items: path.endsWith('/services') ? [MCP] : [],
        });
      refuse(response, 404, 'NotFound');
    });
    const { cli, written } = cliContext({ env: { PROBE: 'none' } });
    await discoverCommand(
      { kubeconfig: await kubeconfigFor(server), output: 'wide', namespace: 'shop' },
      cli,
    );
    expect(written.result).toContain(approval);
  });

  test('a Service that is left out while its tool is held is still published, as explain says', async () => {
    const tools = [
      {
        name: 'grafana.shop',
        type: 'grafana',
        endpoint: 'http://grafana.shop.svc.cluster.local:3000',
        description: 'd',
        namespace: 'shop',
        metadata: { service: 'grafana' },
      },
    ];
    const off = { ...GRAFANA.metadata, annotations: { 'kubernaut.io/toolset': 'false' } };
    const { server } = await kubeServer((response, { path }) => {
      if (path.endsWith('/configmaps/kubernaut-toolset-config'))
        return json(response, {
          metadata: { resourceVersion: '1' },
          data: { 'toolset.json': JSON.stringify({ tools }) },
        });
      if (path.endsWith('/services') || path.endsWith('/endpointslices'))
        return json(response, {
          metadata: { resourceVersion: '5' },
          items: path.endsWith('/services') ? [{ ...GRAFANA, metadata: off }] : [],
        });
      refuse(response, 404, 'NotFound');
    });
    const { cli, written } = cliContext({ env: { PROBE: 'none' } });
    await explainCommand('shop/grafana', { kubeconfig: await kubeconfigFor(server), output: 'text' }, cli);
    expect(written.result).toMatch(
      /left out: its annotation kubernaut.io\/toolset excludes it\n {2}still published as the tool grafana.shop: serve removes it/,
    );
  });

  test.each([
    ['a backend', {}, /URL of its tool {4}http:\/\/logs\.example\.com:80\/x, from overrides\.yaml/],
    [
      'a Service that is left out',
      { 'kubernaut.io/toolset': 'false' },
      /left out: .*\n {2}overrides\.yaml gives the tool grafana\.shop its own URL, http:\/\/logs\.example\.com:80\/x,/,
    ],
  ])('explain shows the URL that overrides give the tool of %s', async (_, annotations, expected) => {
    const tool = '{type: grafana, endpoint: http://logs.example.com/x}';
    const metadata = { ...GRAFANA.metadata, annotations };
    const { server } = await kubeServer((response, { path }) => {
      if (path.endsWith('/configmaps/kubernaut-toolset-config'))
        return json(response, {
          metadata: { resourceVersion: '1' },
          data: { 'overrides.yaml': `tools: {shop/grafana: ${tool}}` },
        });
      if (path.endsWith('/services') || path.endsWith('/endpointslices'))
        return json(response, {
          metadata: { resourceVersion: '5' },
          items: path.endsWith('/services') ? [{ ...GRAFANA, metadata }] : [],
        });
      refuse(response, 404, 'NotFound');
    });
    const { cli, written } = cliContext({ env: { PROBE: 'none' } });
    await explainCommand('shop/grafana', { kubeconfig: await kubeconfigFor(server), output: 'text' }, cli);
    expect(written.result).toMatch(expected);
  });

  test('settings with an error are ignored, with a warning', async () => {
    const { verdict, messages } = await shown({ namespaces: 'shop', 'max-backend': '1' });
    expect(messages).toMatch(
      /warning: ConfigMap \S+dynamic-toolset-config: has an error, .*what serve uses is unknown here.*max-backends/,
    );
    expect(verdict).toContain('if serve watches namespace shop, and the settings that serve uses, which are');
  });

  test('settings with an error leave open what is published, also where the searched namespaces are known', async () => {
    const { verdict, messages } = await shown({ detectors: 'grafana: {enabled: maybe}' }, 'shop');
    expect(messages).toContain('what serve uses is unknown here');
    expect(verdict).toContain('adds it, if the settings that serve uses, which are unknown here, allow it');
  });
});

describe('generate uses the settings of serve', () => {
  /** Runs `generate` in a cluster with Grafana in `shop` and this settings ConfigMap. `undefined`: it may not be read. */
  async function preview(settings: Readonly<Record<string, string>> | undefined, flags = {}) {
    const { server, asked } = await kubeServer((response, { path }) => {
      if (path.endsWith('/configmaps/dynamic-toolset-config'))
        return settings === undefined
          ? refuse(response, 403, 'Forbidden')
          : json(response, { metadata: { resourceVersion: '1' }, data: settings });
      const items = path.endsWith('/shop/services') ? [GRAFANA] : [];
      if (path.endsWith('/services') || path.endsWith('/endpointslices'))
        return json(response, { metadata: { resourceVersion: '5' }, items });
      refuse(response, 404, 'NotFound');
    });
    const { cli, written } = cliContext({ env: { PROBE: 'none' } });
    const kubeconfig = await kubeconfigFor(server);
    await generateCommand({ kubeconfig, format: 'holmesgpt', ...flags }, cli);
    return { ...written, paths: asked.map(({ path }) => path) };
  }

  const credentials = 'shop/grafana: {apiKey: GRAFANA_KEY}\n';

  test('its namespaces and credentials count', async () => {
    const { result, messages } = await preview({ namespaces: 'shop', credentials });
    expect(result).toContain('api_key: "{{ env.GRAFANA_KEY }}"');
    expect(messages).toBe('');
  });

  test('flags win', async () => {
    const { result, paths } = await preview({ namespaces: 'ops', credentials }, { namespace: 'shop' });
    expect(result).toContain('GRAFANA_KEY');
    expect(paths.filter((path) => path.includes('/ops/'))).toEqual([]);
  });

  test('where they cannot be read, a warning says what that means', async () => {
    const { result, messages } = await preview(undefined, { namespace: 'shop' });
    expect(result).not.toContain('GRAFANA_KEY');
    expect(messages).toContain(
      'warning: ConfigMap kubernaut-system/dynamic-toolset-config: cannot be read, so the settings of serve are unknown here, and what it publishes may differ\n',
    );
  });
});
