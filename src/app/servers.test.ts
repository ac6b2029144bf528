import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConfigError } from '../model/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Configuration } from './configuration.ts';
import { type ServerName, type ServerSpec, Servers } from './servers.ts';

/** A machine whose ports are numbers in a map. */
function machine(inPod = false) {
  /** What happens, in order. */
  const steps: string[] = [];
  /** Who has a port. */
  const ports = new Map<number, string>();
  const specs: [ServerName, ServerSpec][] = [];
  const lines: object[] = [];
  const state = {
    /** Resolves when all requests of a server are answered. */
    answered: Promise.resolve(),
    broken: undefined as ServerName | undefined,
    check: (_: Configuration): void => {},
    made: (_: ServerName): void => {},
  };
  const make = async (name: ServerName, spec: ServerSpec): Promise<FastifyInstance> => {
    if (state.broken === name) throw new ConfigError(`no certificate for ${name}`);
    state.made(name);
    specs.push([name, spec]);
    steps.push(`make ${name}`);
    let port: number | undefined;
    const server = {
      address: () => ({ port: (port ?? 0) + 10_000 }),
      closeAllConnections: () => steps.push(`break ${name}`),
    };
    return {
      server,
      async listen(options: { port: number; host: string }) {
        if (ports.has(options.port)) throw new Error('EADDRINUSE');
        port = options.port;
        ports.set(port, name);
        steps.push(`listen ${name} ${options.host}:${port}`);
      },
      async close() {
        if (port !== undefined) {
          ports.delete(port);
          await state.answered;
        }
        steps.push(`close ${name}`);
      },
    } as unknown as FastifyInstance;
  };
  const line = (fields: object, text: string): unknown => lines.push({ ...fields, text });
  const log = { info: line, error: line } as unknown as Logger;
  const servers = new Servers(make, (settings) => state.check(settings), inPod, log);
  const open = (): Record<string, number> =>
    Object.fromEntries([...ports].map(([port, name]) => [name, port]).sort());
  return { servers, steps, ports, specs, lines, state, open };
}

const at = (port: number) => ({ host: '127.0.0.1', port });
const settings = (more: Partial<Configuration> = {}): Configuration => more as Configuration;
const ALL = settings({ apiAddress: at(1), metricsAddress: at(2), healthAddress: at(3) });
const TLS = { tlsCertFile: 'cert', tlsKeyFile: 'key', tlsClientCaFile: 'ca' };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => void vi.useRealTimers());

describe('the servers', () => {
  test('are all started in a Pod, at known ports, and probes first', async () => {
    const { servers, specs, open, lines } = machine(true);
    expect(servers.any).toBe(false);
    await servers.reconcile(settings());
    expect(open()).toEqual({ health: 8081, api: 8080, metrics: 9090 });
    expect(specs.map(([name, { address }]) => [name, address])).toEqual([
      ['health', { host: '', port: 8081 }],
      ['api', { host: '', port: 8080 }],
      ['metrics', { host: '', port: 9090 }],
    ]);
    expect(servers.any).toBe(true);
    expect(lines).toEqual([
      {
        component: 'health_server',
        port: 18_081,
        tls: false,
        text: 'probes are served at /health and /ready',
      },
      { component: 'api_server', port: 18_080, tls: false, text: 'the API is served at /api/v1' },
      { component: 'metrics_server', port: 19_090, tls: false, text: 'metrics are served at /metrics' },
    ]);
  });

  test('are not started elsewhere, unless an address is set', async () => {
    const { servers, open } = machine();
    await servers.reconcile(settings());
    expect(servers.any).toBe(false);
    await servers.reconcile(settings({ metricsAddress: at(2) }));
    expect(open()).toEqual({ metrics: 2 });
    expect(servers.any).toBe(true);
  });

  test('are not started if that is set', async () => {
    const { servers, open } = machine(true);
    await servers.reconcile(settings({ apiAddress: 'none', metricsAddress: 'none' }));
    expect(open()).toEqual({ health: 8081 });
  });
});

describe('TLS', () => {
  test('applies to all servers but health probes: a kubelet has no certificate', async () => {
    const { servers, specs, lines } = machine();
    await servers.reconcile(settings({ ...ALL, ...TLS }));
    const tls = { cert: 'cert', key: 'key', clientCa: 'ca' };
    expect(specs.map(([name, spec]) => [name, spec.tls])).toEqual([
      ['health', undefined],
      ['api', tls],
      ['metrics', tls],
    ]);
    expect(lines).toMatchObject([{ tls: false }, { tls: true }, { tls: true }]);
  });

  test.each([
    [{ tlsCertFile: 'cert' }, 'set both TLS_CERT_FILE'],
    [{ tlsKeyFile: 'key' }, 'set both TLS_CERT_FILE'],
    [{ tlsClientCaFile: 'ca' }, 'TLS_CLIENT_CA_FILE (--tls-client-ca-file) needs TLS'],
  ])('%o is an error that says what to set', async (files, message) => {
    const { servers, steps } = machine();
    const used = servers.reconcile(settings({ ...ALL, ...files }));
    await expect(used).rejects.toThrow(message);
    await expect(used).rejects.toBeInstanceOf(ConfigError);
    expect(steps).toEqual([]);
  });
});

describe('access control is validated', () => {
  test.each<[checked: boolean, Partial<Configuration>]>([
    [false, {}],
    [false, { healthAddress: at(3) }],
    [true, { apiAddress: at(1) }],
    [true, { metricsAddress: at(2) }],
  ])('%s with %o', async (checked, more) => {
    const { servers, state } = machine();
    const seen: Configuration[] = [];
    state.check = (given) => seen.push(given);
    await servers.reconcile(settings(more));
    expect(seen).toEqual(checked ? [more] : []);
  });

  test('before anything is opened', async () => {
    const { servers, state, steps } = machine();
    state.check = () => {
      throw new ConfigError('no cluster');
    };
    await expect(servers.reconcile(ALL)).rejects.toThrow('no cluster');
    expect(steps).toEqual([]);
  });
});

describe('a change', () => {
  test('of another setting does not affect the servers', async () => {
    const { servers, steps } = machine();
    await servers.reconcile(ALL);
    steps.length = 0;
    await servers.reconcile(settings({ ...ALL, apiAddress: at(1), discoveryInterval: 1 }));
    expect(steps).toEqual([]);
  });

  test('of the host alone closes the old server before the new one listens, because both have one port', async () => {
    const { servers, steps, open } = machine();
    await servers.reconcile(ALL);
    steps.length = 0;
    await servers.reconcile(settings({ ...ALL, apiAddress: { host: '', port: 1 } }));
    expect(steps).toEqual(['make api', 'close api', 'listen api :::1']);
    expect(open()).toEqual({ api: 1, metrics: 2, health: 3 });
  });

  test('of the port starts the new server before the old one closes', async () => {
    const { servers, steps, open } = machine();
    await servers.reconcile(ALL);
    steps.length = 0;
    await servers.reconcile(settings({ ...ALL, apiAddress: at(4) }));
    expect(steps).toEqual(['make api', 'listen api 127.0.0.1:4', 'close api']);
    expect(open()).toEqual({ api: 4, metrics: 2, health: 3 });
  });

  test('to none closes it', async () => {
    const { servers, open, steps } = machine();
    await servers.reconcile(ALL);
    steps.length = 0;
    await servers.reconcile(settings({ ...ALL, apiAddress: 'none' }));
    expect(steps).toEqual(['close api']);
    expect(open()).toEqual({ metrics: 2, health: 3 });
  });

  test('waits at most three seconds for the requests of a server that moves', async () => {
    const { servers, steps, state } = machine();
    await servers.reconcile(ALL);
    const { promise, resolve } = Promise.withResolvers<void>();
    state.answered = promise;
    steps.length = 0;
    const used = servers.reconcile(settings({ ...ALL, apiAddress: at(4) }));
    await vi.advanceTimersByTimeAsync(2_999);
    expect(steps).toEqual(['make api', 'listen api 127.0.0.1:4']);
    await vi.advanceTimersByTimeAsync(1);
    expect(steps).toEqual(['make api', 'listen api 127.0.0.1:4', 'break api']);
    resolve();
    await used;
    expect(steps).toEqual(['make api', 'listen api 127.0.0.1:4', 'break api', 'close api']);
  });

  test('breaks no connection if all requests complete in time', async () => {
    const { servers, steps } = machine();
    await servers.reconcile(ALL);
    await servers.reconcile(settings({ ...ALL, apiAddress: at(4) }));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(steps).not.toContain('break api');
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('an impossible change', () => {
  test('a port in use is an error that says how to choose another', async () => {
    const { servers, ports, steps } = machine();
    ports.set(1, 'somebody');
    const used = servers.reconcile(settings({ apiAddress: at(1) }));
    await expect(used).rejects.toThrow(
      'cannot listen on 127.0.0.1:1: EADDRINUSE; choose another address with --api-address, or none',
    );
    await expect(used).rejects.toBeInstanceOf(ConfigError);
    expect(steps).toEqual(['make api', 'close api']);
    expect(servers.any).toBe(false);
  });

  test('a port in use interrupts no request to the server that keeps its port', async () => {
    const { servers, ports, steps, open } = machine();
    await servers.reconcile(ALL);
    ports.set(4, 'somebody');
    steps.length = 0;
    await expect(servers.reconcile(settings({ ...ALL, apiAddress: at(4) }))).rejects.toThrow('EADDRINUSE');
    // The server that could not listen is closed; the old one is not.
    expect(steps).toEqual(['make api', 'close api']);
    expect(open()).toMatchObject({ api: 1, metrics: 2, health: 3 });
  });

  test('the previous servers are restored', async () => {
    const { servers, ports, open } = machine();
    await servers.reconcile(ALL);
    ports.set(5, 'somebody');
    const used = servers.reconcile(
      settings({ apiAddress: at(4), metricsAddress: at(5), healthAddress: 'none' }),
    );
    await expect(used).rejects.toThrow('--metrics-address');
    expect(open()).toEqual({ api: 1, metrics: 2, health: 3, somebody: 5 });
  });

  test('a server that cannot be created does not close the existing ones', async () => {
    const { servers, state, steps } = machine();
    await servers.reconcile(ALL);
    steps.length = 0;
    state.broken = 'api';
    await expect(servers.reconcile(settings({ ...ALL, ...TLS }))).rejects.toThrow('no certificate for api');
    expect(steps).toEqual([]);
  });

  test('one that cannot be restored does not prevent restoring the others, and the first error is thrown', async () => {
    const { servers, ports, state, open, lines } = machine();
    await servers.reconcile(ALL);
    ports.set(5, 'somebody');
    // Somebody takes the port of the probes while they are elsewhere.
    state.made = (name) => {
      if (name === 'metrics') ports.set(3, 'another');
    };
    const used = servers.reconcile(
      settings({ apiAddress: at(4), metricsAddress: at(5), healthAddress: at(6) }),
    );
    await expect(used).rejects.toThrow('--metrics-address');
    expect(open()).toMatchObject({ api: 1, metrics: 2 });
    expect(lines).toContainEqual({
      component: 'health_server',
      text: expect.stringContaining('cannot listen on 127.0.0.1:3'),
    });
  });
});

describe('at shutdown', () => {
  test('they close once their requests are complete, all at once', async () => {
    const { servers, steps, open } = machine();
    await servers.reconcile(ALL);
    steps.length = 0;
    servers.closeAllConnections();
    expect(steps.sort()).toEqual(['break api', 'break health', 'break metrics']);
    await servers.close();
    expect(open()).toEqual({});
    expect(servers.any).toBe(false);
    await servers.close();
    expect(steps).toHaveLength(6);
  });
});
