import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { markdownFiles, repository } from '../../scripts/markdown.ts';
import { testCluster } from '../cluster/cluster.ts';
import type { StoredObject } from '../cluster/rest.ts';
import { type Block, blocksOf } from '../docs/blocks.ts';
import { commandsIn, shownOutput, treatmentOf, typed } from '../docs/shell.ts';
import { hasKubectl, Workplace } from '../docs/workplace.ts';
import { kindOfYaml } from '../docs/yaml.ts';

/** The namespaces that the documentation names. */
const NAMESPACES = ['kubernaut-system', 'holmesgpt', 'monitoring', 'observability', 'shop'];
const DEMO = ['monitoring.yaml', 'logs-and-traces.yaml', 'shop.yaml'];

const cluster = testCluster();
let kubeconfig = '';

/** The cluster that a reader has: the demonstration's Services, and an agent's account. */
beforeAll(async () => {
  const core = (kind: string, name: string) => ({ apiVersion: 'v1', kind, metadata: { name } });
  for (const name of NAMESPACES)
    await cluster.admin.apply(`/api/v1/namespaces/${name}`, core('Namespace', name));
  const everything = { apiGroups: ['*'], resources: ['*'], verbs: ['*'] };
  const account = { namespace: 'kubernaut-system', clusterRules: [everything] };
  kubeconfig = await cluster.kubeconfig(await cluster.serviceAccount(account));
  for (const namespace of ['kubernaut-system', 'default'])
    await cluster.admin.apply(
      `/api/v1/namespaces/${namespace}/serviceaccounts/my-agent`,
      core('ServiceAccount', 'my-agent'),
    );
  for (const file of DEMO)
    for (const document of parseAllDocuments(readFileSync(join(repository, 'demo/cluster', file), 'utf8'))) {
      const object = document.toJS() as StoredObject;
      const { namespace, name } = object.metadata;
      await cluster.admin.apply(`/api/v1/namespaces/${namespace}/services/${name}`, object);
    }
});

/** Publishes until three revisions are there. */
async function publish(workplace: Workplace): Promise<void> {
  const listed = await workplace.run('dynamic-toolset history -o json');
  if (listed.exitCode === 0 && JSON.parse(listed.text).revisions.length >= 3) return;
  for (const namespaces of ['monitoring', 'monitoring,observability', 'monitoring,observability,shop']) {
    const serve = 'dynamic-toolset serve --once --force --probe none';
    const ended = await workplace.run(serve, { NAMESPACES: namespaces });
    expect(ended.exitCode, ended.text).toBe(0);
  }
}

const NO_KUBECTL = hasKubectl ? '' : ' (this machine has no kubectl)';
const isManifest = (block: Block): boolean => block.language === 'yaml' && kindOfYaml(block) === 'manifest';
const isRun = (block: Block): boolean => treatmentOf(block).run;
const pages = markdownFiles()
  .filter((file) => file === 'README.md' || file.startsWith('docs/'))
  .map((file) => ({ file, blocks: blocksOf(file) }))
  .filter(({ blocks }) => blocks.some((block) => isManifest(block) || isRun(block)));

describe.for(pages)('$file', ({ blocks }) => {
  for (const { line, text } of blocks.filter(isManifest))
    it.skipIf(!hasKubectl)(`the API server takes the objects of line ${line}${NO_KUBECTL}`, async () => {
      const workplace = await Workplace.create(kubeconfig);
      await workplace.save('objects.yaml', text);
      const ended = await workplace.run('kubectl apply --dry-run=server -f objects.yaml');
      expect(ended.exitCode, ended.text).toBe(0);
    });

  for (const block of blocks.filter(isRun)) {
    const asksKubectl = commandsIn(typed(block)).some(([name]) => name === 'kubectl');
    const title = `the commands of line ${block.line} pass${asksKubectl ? NO_KUBECTL : ''}`;
    it.skipIf(asksKubectl && !hasKubectl)(title, { timeout: 180_000 }, async () => {
      const workplace = await Workplace.create(kubeconfig);
      await publish(workplace);
      // The file that several pages have a person edit.
      await workplace.save('overrides.yaml', 'tools: {}\n');
      for (const { savedAs, text, line } of blocks)
        if (savedAs !== undefined && line < block.line) await workplace.save(savedAs, text);
      const { exitCode, text } = await workplace.run(typed(block));
      const shown = shownOutput(block);
      // What a page shows the output of may have findings.
      expect(shown.length === 0 ? [0] : [0, 1], text).toContain(exitCode);
      const lines = text.split('\n').map((line) => line.trimEnd());
      expect(shown.filter((line) => !lines.includes(line))).toEqual([]);
    });
  }
});
