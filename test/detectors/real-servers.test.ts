import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoverAt, httpTypes, labelled, outcome, outcomes } from './probing.ts';
import { installed, type RealServer, type RealServerOptions, startReal } from './real-process.ts';

interface Subject extends Omit<RealServerOptions, 'program'> {
  readonly name: string;
  /** The program, and the package of Debian that brings it. */
  readonly program: string;
  readonly package: string;
  /** What it must be found to be; nothing for what is no backend. */
  readonly backend?: { readonly type: string; readonly outcome: string };
}

const SCRAPE = 'global: { scrape_interval: 1m }\n';
const prometheus =
  (...more: string[]) =>
  (port: number): string[] => [
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=data',
    `--web.listen-address=127.0.0.1:${port}`,
    ...more,
  ];

const SUBJECTS: readonly Subject[] = [
  {
    name: 'Prometheus',
    program: 'prometheus',
    package: 'prometheus',
    files: { 'prometheus.yml': SCRAPE },
    args: prometheus(),
    backend: { type: 'prometheus', outcome: 'prometheus, healthy, proven' },
  },
  {
    name: 'Prometheus below a path',
    program: 'prometheus',
    package: 'prometheus',
    files: { 'prometheus.yml': SCRAPE },
    args: prometheus('--web.route-prefix=/prometheus'),
    backend: { type: 'prometheus', outcome: 'prometheus /prometheus, healthy, proven' },
  },
  {
    name: 'Prometheus as an agent, without a query API',
    program: 'prometheus',
    package: 'prometheus',
    files: { 'prometheus.yml': `${SCRAPE}remote_write: [{ url: "http://127.0.0.1:1/write" }]\n` },
    args: (port) => [
      '--enable-feature=agent',
      '--config.file=prometheus.yml',
      '--storage.agent.path=data',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  },
  {
    name: 'Alertmanager',
    program: 'prometheus-alertmanager',
    package: 'prometheus-alertmanager',
    files: { 'alertmanager.yml': 'route: { receiver: none }\nreceivers: [{ name: none }]\n' },
    args: (port) => [
      '--config.file=alertmanager.yml',
      '--storage.path=data',
      '--cluster.listen-address=',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    backend: { type: 'alertmanager', outcome: 'alertmanager, healthy, proven' },
  },
  {
    name: 'the node exporter',
    program: 'prometheus-node-exporter',
    package: 'prometheus-node-exporter',
    args: (port) => [
      '--collector.disable-defaults',
      '--collector.uname',
      `--web.listen-address=127.0.0.1:${port}`,
    ],
  },
  {
    name: 'the Pushgateway',
    program: 'prometheus-pushgateway',
    package: 'prometheus-pushgateway',
    args: (port) => [`--web.listen-address=127.0.0.1:${port}`],
  },
];

describe.each(SUBJECTS)('$name', { timeout: 30_000 }, (subject) => {
  const missing = installed(subject.program) === undefined;
  const skipped = missing
    ? ` (skipped: ${subject.program} is missing, apt-get install ${subject.package})`
    : '';

  describe.skipIf(missing)(`as Debian has it${skipped}`, () => {
    const { backend } = subject;
    const wrong = httpTypes.filter((type) => type !== backend?.type);
    let server: RealServer;
    beforeAll(async () => {
      server = await startReal(subject);
    }, 30_000);
    afterAll(() => server?.stop());

    if (backend !== undefined)
      it('is confirmed if it is labelled correctly', async () => {
        const { services, problems } = await discoverAt(server.port, [labelled(backend.type)]);
        expect(services.map(outcome)).toEqual([backend.outcome]);
        expect(problems).toEqual([]);
      });

    it('is recognized, whatever its labels', async () => {
      const found = await discoverAt(
        server.port,
        wrong.map((type) => labelled(type)),
      );
      expect(outcomes(found)).toEqual(
        backend === undefined
          ? {}
          : Object.fromEntries(wrong.map((type) => [`labelled-${type}`, backend.outcome])),
      );
      expect(found.problems).toHaveLength(wrong.length);
    });

    it('is rejected as an MCP server, and unhealthy as a broker: it waits for the rest of a request', async () => {
      const { services, problems } = await discoverAt(server.port, [labelled('kafka'), labelled('mcp')], 500);
      expect(services.map(outcome)).toEqual(['kafka, unhealthy, unproven']);
      expect(services[0]?.verdict.reason).toContain('no answer');
      expect(problems.map(({ where }) => where)).toEqual(['Service lab/labelled-mcp']);
    });

    it('needs no label if it proves itself at the port of Prometheus', async () => {
      const hint = labelled('prometheus', {
        name: 'tsdb',
        labels: {},
        ports: [{ port: 9090, protocol: 'TCP' }],
      });
      const { services, problems } = await discoverAt(server.port, [hint]);
      expect(services.map(outcome)).toEqual(backend === undefined ? [] : [backend.outcome]);
      expect(problems).toHaveLength(backend === undefined || backend.type === 'prometheus' ? 0 : 1);
    });
  });
});
