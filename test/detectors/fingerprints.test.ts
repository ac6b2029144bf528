import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Service } from '../../src/model/service.ts';
import { discoverAt, httpTypes, labelled, outcome, outcomes } from './probing.ts';
import { type Replay, recordingOf, recordings, replay } from './replay.ts';

const NOT_READY = /not ready/;
/** The recordings of backends, with what each must become. */
const BACKENDS = recordings.flatMap((name) => {
  const { expected } = recordingOf(name);
  return expected === undefined ? [] : [[name, expected] as const];
});

/** Recordings that the last part of this file tests one by one: they have no `expected`. */
const OTHERS = [
  'elasticsearch-down',
  'kafka',
  'kibana-degraded',
  'mcp',
  'mcp-modern',
  'prometheus-secured',
  'skywalking-9',
];
const DECOYS = recordings.filter((name) => name.startsWith('decoy-'));

/** A server that plays a recording for all tests of a group. */
function played(name: string): () => Replay {
  let server: Replay | undefined;
  beforeAll(async () => {
    server = await replay(recordingOf(name));
  });
  afterAll(() => server?.close());
  return () => {
    if (server === undefined) throw new Error(`${name} is not played yet`);
    return server;
  };
}

/** Nothing but the port: a Service that a hint makes worth a question. */
const onlyPort = (port: number, name = 'tsdb'): Service => ({
  ...labelled('prometheus', { name, labels: {}, ports: [{ port, protocol: 'TCP' }] }),
});

it('has an expectation for each recording', () => {
  expect([...BACKENDS.map(([name]) => name), ...OTHERS, ...DECOYS].sort()).toEqual(recordings);
  for (const name of recordings) expect(recordingOf(name).how, name).not.toBe('');
});

it('has a recording of each type that can prove itself', () => {
  expect([...new Set(BACKENDS.map(([, { type }]) => type))].sort()).toEqual(httpTypes.toSorted());
});

describe.each(BACKENDS)('%s', (name, wanted) => {
  const server = played(name);

  it('is confirmed if it is labelled correctly', async () => {
    const { services, problems } = await discoverAt(server().port, [labelled(wanted.type)]);
    expect(services.map(outcome)).toEqual([wanted.outcome]);
    expect(services[0]?.verdict.reason).toMatch(new RegExp(wanted.reason ?? '.'));
    expect(problems).toEqual([]);
  });

  it('is recognized, whatever its labels', async () => {
    const labels = httpTypes.filter((type) => type !== wanted.type);
    const found = await discoverAt(
      server().port,
      labels.map((type) => labelled(type)),
    );
    const base = wanted.outcome.replace(', wants credentials', '');
    expect(outcomes(found)).toEqual(
      wanted.elsewhere === 'refused'
        ? {}
        : Object.fromEntries(labels.map((type) => [`labelled-${type}`, expect.stringMatching(`^${base}`)])),
    );
    // Each one is reported to the user.
    expect(found.problems.map(({ where }) => where).sort()).toEqual(
      labels.map((type) => `Service lab/labelled-${type}`).sort(),
    );
  });

  it('is rejected as a broker and as an MCP server, whose protocols it does not support', async () => {
    const { services, problems } = await discoverAt(server().port, [labelled('kafka'), labelled('mcp')]);
    const wantsLogin = /secured/.test(name) || name === 'rabbitmq';
    expect(services.map(outcome)).toEqual(
      wantsLogin && name !== 'rabbitmq' ? ['mcp /mcp, healthy, unproven, wants credentials'] : [],
    );
    expect(problems).toHaveLength(2 - services.length);
  });
});

describe.each(DECOYS)('%s', (name) => {
  const server = played(name);

  it('is rejected, whatever its labels', async () => {
    const types = [...httpTypes, 'kafka', 'mcp'];
    const found = await discoverAt(
      server().port,
      types.map((type) => labelled(type)),
    );
    expect(outcomes(found)).toEqual({});
    expect(found.problems.map(({ what }) => what)).toEqual(
      types.map(() => expect.stringContaining('is left out')),
    );
  });

  it('is skipped silently if it was only a hint', async () => {
    const scraped = labelled('prometheus', {
      name: 'scraped',
      labels: {},
      annotations: { 'prometheus.io/scrape': 'true' },
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    });
    const ports = [9090, 9093, 3000, 3100, 3200, 9200, 10902, 16686, 9411, 5601, 4040, 15672];
    const services = [scraped, ...ports.map((port) => onlyPort(port, `at-${port}`))];
    expect(await discoverAt(server().port, services)).toMatchObject({ services: [], problems: [] });
  });
});

describe('a Service with only a hint', () => {
  const prometheus = played('prometheus');
  const loki = played('loki');
  const secured = played('prometheus-secured');

  it('counts when it proves the hint', async () => {
    const { services } = await discoverAt(prometheus().port, [
      onlyPort(9090),
      labelled('prometheus', {
        name: 'scraped',
        labels: {},
        annotations: { 'prometheus.io/scrape': 'true' },
        ports: [{ name: 'web', port: 8080, protocol: 'TCP' }],
      }),
    ]);
    expect(services.map(outcome)).toEqual(['prometheus, healthy, proven', 'prometheus, healthy, proven']);
  });

  it('counts as what it proves, if the hint was wrong', async () => {
    const { services } = await discoverAt(loki().port, [onlyPort(9090)]);
    expect(services.map(outcome)).toEqual(['loki, healthy, proven']);
  });

  it('does not count if it proves nothing, healthy or not', async () => {
    expect((await discoverAt(secured().port, [onlyPort(9090)])).services).toEqual([]);
    // Nothing listens on the reserved port 1.
    expect((await discoverAt(1, [onlyPort(9090)])).services).toEqual([]);
  });
});

describe('a backend that reveals nothing without credentials', () => {
  const server = played('prometheus-secured');

  it('keeps its labelled type: alive, unproven', async () => {
    const found = await discoverAt(
      server().port,
      httpTypes.map((type) => labelled(type)),
    );
    expect(Object.keys(outcomes(found)).sort()).toEqual(httpTypes.map((type) => `labelled-${type}`).sort());
    for (const service of found.services) {
      expect(service.type).toBe(service.service.name.replace('labelled-', ''));
      expect(service.verdict).toMatchObject({ health: 'healthy', proof: 'unproven', authRequired: true });
    }
  });
});

describe('a backend that exists and does not work', () => {
  const elasticsearch = played('elasticsearch-down');
  const kibana = played('kibana-degraded');

  it('is unhealthy, and not classified as something else', async () => {
    const { services, problems } = await discoverAt(elasticsearch().port, [labelled('elasticsearch')]);
    expect(services.map(outcome)).toEqual(['elasticsearch, unhealthy, unproven']);
    expect(services[0]?.verdict.reason).toContain('503');
    expect(problems).toEqual([]);
  });

  it('is alive if it declares that it is only not ready', async () => {
    const { services } = await discoverAt(kibana().port, [labelled('kibana')]);
    expect(services.map(outcome)).toEqual(['kibana, healthy, proven']);
    expect(services[0]?.verdict.reason).toMatch(NOT_READY);
  });
});

describe('a server that answers POST only', () => {
  const skywalking = played('skywalking-9');

  it('is confirmed by what it refuses, if its labels name it, and is nothing else', async () => {
    const found = await discoverAt(
      skywalking().port,
      httpTypes.map((type) => labelled(type)),
    );
    const { 'labelled-skywalking': own, ...others } = outcomes(found);
    expect(own).toBe('skywalking, healthy, proven');
    expect(Object.keys(others)).toHaveLength(httpTypes.length - 1);
    for (const text of Object.values(others)) expect(text).toMatch(/, unknown, unproven$/);
  });
});

describe('kafka', () => {
  const server = played('kafka');

  it('is confirmed by its response to ApiVersions', async () => {
    const { services } = await discoverAt(server().port, [labelled('kafka')]);
    expect(services.map(outcome)).toEqual(['kafka, healthy, proven']);
    expect(server().asked).toContain('ApiVersions v0');
  });

  it('is unhealthy and unproven as any HTTP backend: it closes the connection', async () => {
    const types = [...httpTypes, 'mcp'];
    const { services } = await discoverAt(
      server().port,
      types.map((type) => labelled(type)),
    );
    expect(services).toHaveLength(types.length);
    for (const { service, type, verdict } of services) {
      expect(service.name).toBe(`labelled-${type}`);
      expect(verdict).toMatchObject({ health: 'unhealthy', proof: 'unproven' });
      expect(verdict.reason).toContain('closed');
    }
  });
});

describe('a broker without a valid response', () => {
  async function outcomeAt(port: number): Promise<string[]> {
    const { services, problems } = await discoverAt(port, [labelled('kafka')], 300);
    return [...services.map(outcome), ...problems.map(({ what }) => what)];
  }

  async function listening(take: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      take(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return (server.address() as AddressInfo).port;
  }

  it('may require TLS, if it closes the connection', async () => {
    const server = createTlsServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    expect(await outcomeAt((server.address() as AddressInfo).port)).toEqual(['kafka, healthy, unproven']);
  });

  it('may require TLS, if it responds with an alert as many TLS servers do', async () => {
    // Fatal: protocol version.
    const alert = Buffer.from('15030300020246', 'hex');
    const port = await listening((socket) => socket.once('data', () => socket.end(alert)));
    expect(await outcomeAt(port)).toEqual(['kafka, healthy, unproven']);
  });

  it('is unhealthy, if it accepts the connection and stays silent', async () => {
    const port = await listening(() => {});
    expect(await outcomeAt(port)).toEqual(['kafka, unhealthy, unproven']);
  });

  it('is rejected, if it responds with something else', async () => {
    const port = await listening((socket) => socket.end('-ERR unknown command\r\n'));
    expect(await outcomeAt(port)).toEqual([expect.stringContaining('is left out')]);
  });

  it('is rejected, if its response belongs to another request', async () => {
    const port = await listening((socket) =>
      // An ApiVersions answer with no versions, to the question number 1.
      socket.end(Buffer.from('0000000a00000001000000000000', 'hex')),
    );
    expect(await outcomeAt(port)).toEqual([expect.stringContaining('is left out')]);
  });
});

describe.each(['mcp', 'mcp-modern'])('%s', (name) => {
  const server = played(name);

  it('is confirmed by the exchange of its era, and no session stays open', async () => {
    const { services } = await discoverAt(server().port, [labelled('mcp')]);
    expect(services.map(outcome)).toEqual(['mcp /mcp, healthy, proven']);
    expect(services[0]?.verdict.facts).toEqual({ eras: name === 'mcp' ? 'legacy' : 'modern' });
    expect(server().asked).toEqual([
      'POST /mcp server/discover',
      'POST /mcp initialize',
      // Only the server with a handshake gave a session.
      ...(name === 'mcp'
        ? ['POST /mcp notifications/initialized', 'POST /mcp tools/list', 'DELETE /mcp']
        : ['POST /mcp tools/list']),
    ]);
  });

  it('is unproven as any other type, which is reported: it has nothing at any path', async () => {
    const types = [...httpTypes, 'kafka'];
    const found = await discoverAt(
      server().port,
      types.map((type) => labelled(type)),
    );
    expect(Object.keys(outcomes(found))).toEqual(
      expect.arrayContaining(httpTypes.map((type) => `labelled-${type}`)),
    );
    for (const text of Object.values(outcomes(found)))
      expect(text).toMatch(/^[a-z-]+( [/\w]+)?, unknown, unproven$/);
    expect(found.problems).toHaveLength(types.length);
  });
});
