import { describe, expect, test } from 'vitest';
import { candidate, detected, options, rules } from '../../test/fixtures/unit/detection.ts';
import { offered, service } from '../../test/fixtures/unit/service.ts';
import { endpointUrl } from '../model/discovery.ts';
import type { Service } from '../model/service.ts';
import { detect } from './detect.ts';
import { type DetectOptions, readAnnotations, type ServiceAnnotations } from './owner.ts';

const shop = (says: Readonly<Record<string, string>>): Service =>
  offered('shop', says, { ports: ['http:8080', 'admin:9000', { name: 'dns', port: 53, protocol: 'UDP' }] });

function word(of: Service, more: Partial<DetectOptions> = {}): ServiceAnnotations {
  const detector = rules.byType.get('custom')?.detector;
  if (detector === undefined) throw new Error('there is no detector custom');
  return readAnnotations(of, detector, { ...options, ...more });
}

describe('an endpoint from an annotation', () => {
  test.each<[string, ServiceAnnotations['endpoint']]>([
    ['http://shop:8080', { scheme: 'http', port: 8080, path: '' }],
    ['http://shop.monitoring:8080/', { scheme: 'http', port: 8080, path: '' }],
    ['http://shop.monitoring.svc:9000/api/v1/', { scheme: 'http', port: 9000, path: '/api/v1' }],
    ['https://shop.monitoring.svc.cluster.local:8080/api', { scheme: 'https', port: 8080, path: '/api' }],
    ['  http://SHOP.Monitoring.svc.cluster.local.:8080  ', { scheme: 'http', port: 8080, path: '' }],
  ])('%j is accepted', (endpoint, taken) => {
    expect(word(shop({ endpoint }))).toMatchObject({ endpoint: taken, problems: [], refused: false });
  });

  test.each([
    ['another host', 'http://example.com:8080/', 'example.com'],
    [
      "another namespace's Service of the same name",
      'http://shop.other.svc.cluster.local:8080',
      'shop.other',
    ],
    ['another Service', 'http://grafana.monitoring.svc.cluster.local:8080', 'grafana'],
    ['another cluster domain', 'http://shop.monitoring.svc.example.com:8080', 'example.com'],
    [
      'a host that begins like its own',
      'http://shop.monitoring.svc.cluster.local.example.com:8080',
      'example.com',
    ],
    ['the metadata address', 'http://169.254.169.254/latest/meta-data', '169.254.169.254'],
    ['loopback', 'http://127.0.0.1:8080/', '127.0.0.1'],
    ['loopback in another notation', 'http://2130706433:8080/', '127.0.0.1'],
    ['loopback of IPv6', 'http://[::1]:8080/', '::1'],
    ['a port that it does not have', 'http://shop:22/', '22'],
    ['the default port that it does not have', 'https://shop/', '443'],
    ['a UDP port', 'http://shop:53/', '53'],
    ['a user and a password', 'http://user:secret@shop:8080/', 'credentials'],
    ['a user that looks like the host', 'http://shop:8080@example.com/', 'credentials'],
    ['a query', 'http://shop:8080/?token=1', 'query'],
    ['a fragment', 'http://shop:8080/#top', 'fragment'],
    ['a template in the path, which the URL parser would encode', 'http://shop:8080/{{ env.X }}', 'brace'],
    ['ftp', 'ftp://shop:8080/', 'http'],
    ['a file', 'file:///etc/passwd', 'http'],
    ['a script', 'javascript:alert(1)', 'http'],
    ['no URL', 'shop:8080', 'http'],
  ])('%s is rejected together with its Service', (_, endpoint, what) => {
    const said = word(shop({ endpoint }));
    expect(said.endpoint).toBeUndefined();
    expect(said.refused).toBe(true);
    expect(said.problems).toHaveLength(1);
    expect(said.problems[0]?.where).toContain('monitoring/shop');
    expect(said.problems[0]?.what).toContain('kubernaut.io/toolset-endpoint');
    expect(said.problems[0]?.what).toContain(what);
    expect(said.problems[0]?.fix).toBeTruthy();
    expect(detected(shop({ endpoint })).candidates).toEqual([]);
  });

  test('a password is not in the message', () => {
    expect(JSON.stringify(word(shop({ endpoint: 'http://user:secret@shop:8080/' })))).not.toContain('secret');
  });

  test('reaches the candidate, at the full name of its Service', () => {
    const found = candidate(shop({ endpoint: 'https://shop:9000/api/' }));
    expect(endpointUrl(found.endpoint)).toBe('https://shop.monitoring.svc.cluster.local:9000/api');
  });
});

describe("hosts that the operator allows besides the Service's own", () => {
  const endpoint = 'https://api.example.com:8443/v1/';

  test('by default, no other host is allowed', () => {
    expect(word(shop({ endpoint })).refused).toBe(true);
  });

  test.each([
    ['api.example.com', true],
    ['*.example.com', true],
    ['*', true],
    ['example.com', false],
    ['*.example.org', false],
    ['api.example', false],
  ])('with %s allowed', (pattern, allowed) => {
    const said = word(shop({ endpoint }), { allowedHosts: ['other.example.net', pattern] });
    expect(said.refused).toBe(!allowed);
    if (allowed)
      expect(said.endpoint).toEqual({ scheme: 'https', host: 'api.example.com', port: 8443, path: '/v1' });
  });

  test.each([
    ['a pattern', 'http://*.example.com', 'names no valid host: *.example.com'],
    ['a pattern inside a label', 'http://a*.example.com', 'names no valid host: a*.example.com'],
    ['other characters of patterns', 'http://a!(b).example.com', 'names no valid host'],
    ['a list', 'http://a,b.example.com', 'names no valid host'],
    ['an encoded pattern', 'http://%2a.example.com', 'names no valid host: *.example.com'],
    ['an empty first label', 'http://.example.com', 'names no valid host: .example.com'],
    ['an empty label', 'http://a..example.com', 'names no valid host: a..example.com'],
    ['two dots at the end', 'http://a.example.com..', 'names no valid host: a.example.com..'],
    ['a hyphen alone', 'http://-.example.com', 'names no valid host: -.example.com'],
    ['a hyphen at the end of a label', 'http://a-.example.com', 'names no valid host: a-.example.com'],
    ['a long label', `http://${'a'.repeat(64)}.example.com`, 'names no valid host'],
    ['a long name', `http://${'a.'.repeat(125)}example.com`, 'names no valid host'],
    ['port 0', 'http://a.example.com:0', 'names port 0, and ports are from 1 to 65535'],
    ['port 0 in another spelling', 'https://a.example.com:0000/v1', 'names port 0'],
    [
      'port 65536',
      'http://a.example.com:65536',
      'has a port that is out of range; ports are from 1 to 65535',
    ],
  ])('no pattern allows %s', (_, url, what) => {
    for (const pattern of ['*', '*.example.com', '*.example.com*'])
      expect(word(shop({ endpoint: url }), { allowedHosts: [pattern] })).toMatchObject({
        refused: true,
        problems: [{ what: expect.stringContaining(what) }],
      });
  });

  test.each([
    ['a dot at the end', 'http://A.example.com.', 'a.example.com', 80],
    ['an underscore', 'http://_a.my_api.example.com', '_a.my_api.example.com', 80],
    ['an international name', 'https://bücher.example.com:65535', 'xn--bcher-kva.example.com', 65_535],
    ['digits and hyphens', 'http://0-0.4.example.com:1', '0-0.4.example.com', 1],
    ['an IPv4 address', 'http://192.0.2.1:8080', '192.0.2.1', 8080],
    ['an IPv6 address', 'http://[2001:DB8::1]:8080', '[2001:db8::1]', 8080],
    ['one label', 'http://api', 'api', 80],
    ['the longest label', `http://${'a'.repeat(63)}.example.com`, `${'a'.repeat(63)}.example.com`, 80],
  ])('%s is a host', (_, url, host, port) => {
    expect(word(shop({ endpoint: url }), { allowedHosts: ['*'] })).toMatchObject({
      endpoint: { host, port },
      problems: [],
    });
  });

  test.each([
    'https://api.example.com.evil.test/',
    'https://evil.test/api.example.com',
    'https://user@api.example.com/',
  ])('%s is not among them', (endpoint) => {
    expect(word(shop({ endpoint }), { allowedHosts: ['api.example.com'] }).refused).toBe(true);
  });

  test('reaches the candidate', () => {
    const [found] = detect([shop({ endpoint })], rules, {
      ...options,
      allowedHosts: ['*.example.com'],
    }).candidates;
    expect(found && endpointUrl(found.endpoint)).toBe('https://api.example.com:8443/v1');
  });
});

describe('type, name and health path from annotations', () => {
  test('are used', () => {
    const said = shop({ type: 'orders-api', name: 'Orders_API-1', 'health-path': '/status?full=1' });
    expect(word(said)).toMatchObject({
      type: 'orders-api',
      name: 'Orders_API-1',
      healthPath: '/status?full=1',
      problems: [],
    });
    expect(candidate(said)).toMatchObject({
      type: 'orders-api',
      tool: 'Orders_API-1',
      healthPath: '/status?full=1',
    });
  });

  test('a type of a detector makes it a backend of that kind', () => {
    expect(candidate(shop({ type: 'prometheus' }))).toMatchObject({
      type: 'prometheus',
      detector: 'prometheus',
    });
  });

  test.each<[string, keyof ServiceAnnotations, string]>([
    ['type', 'type', 'Upper'],
    ['type', 'type', 'a b'],
    ['type', 'type', '-a'],
    ['type', 'type', 'a'.repeat(64)],
    ['type', 'type', '{{ env.HOME }}'],
    ['name', 'name', 'a b'],
    ['name', 'name', 'a.b'],
    ['name', 'name', 'a/b'],
    ['name', 'name', '_a'],
    ['name', 'name', 'é'],
    ['name', 'name', 'a'.repeat(64)],
    ['name', 'name', '{{ env.HOME }}'],
    ['health-path', 'healthPath', 'health'],
    ['health-path', 'healthPath', 'http://example.com/'],
    ['health-path', 'healthPath', '/a b'],
    ['health-path', 'healthPath', '/a\r\nHost: example.com'],
    ['health-path', 'healthPath', `/${'a'.repeat(600)}`],
  ])('an invalid %s is ignored and reported, and the Service stays: %s %j', (annotation, field, value) => {
    const said = word(shop({ [annotation]: value }));
    expect(said[field]).toBeUndefined();
    expect(said.refused).toBe(false);
    expect(said.problems).toHaveLength(1);
    expect(said.problems[0]?.what).toContain(`kubernaut.io/toolset-${annotation}`);
    expect(said.problems[0]?.what.length).toBeLessThan(250);
    expect(detected(shop({ [annotation]: value })).candidates).toHaveLength(1);
  });

  test('annotations with other keys have no effect', () => {
    const plain = service('p', {
      labels: { app: 'prometheus' },
      annotations: {
        'kubernaut.io/toolset-name': 'mine',
        'kubernaut.io/toolset-endpoint': 'http://example.com',
      },
      ports: [9090],
    });
    expect(candidate(plain).tool).toBe('p.monitoring');
  });
});

describe('an annotated Service without a type', () => {
  const prometheus = { labels: { app: 'prometheus' }, ports: ['web:9090'] };

  test("keeps the type from its labels, with its owner's texts", () => {
    const found = candidate(offered('p', { name: 'Metrics', description: 'Of the shop' }, prometheus));
    expect(found).toMatchObject({
      type: 'prometheus',
      tool: 'Metrics',
      description: 'Of the shop',
      certainty: 'annotation',
    });
    expect(found.evidence[0]?.signal).toBe('annotation');
  });

  test("has its owner's type if one is given", () => {
    expect(candidate(offered('p', { type: 'shop-metrics' }, prometheus))).toMatchObject({
      type: 'shop-metrics',
      detector: 'custom',
    });
  });

  test('may be something that no label indicates', () => {
    expect(candidate(offered('shop')).type).toBe('custom');
    expect(candidate(offered('shop', {}, { ports: ['web:9090'] })).type).toBe('custom');
  });
});

describe('a description from an annotation', () => {
  test.each([
    ['Orders of the shop', 'Orders of the shop'],
    ['  two\nlines\r\nand\ttabs ', 'two lines and tabs'],
    ['a\u0000b\u001b[31mc\u007fd\u009be', 'a b [31mc d e'],
    ['right\u202eleft\u2066iso\u200bzero\ufeffbom', 'right left iso zero bom'],
    ['para\u2028graph\u2029s', 'para graph s'],
    ['tag\u{e0041}\u{e0042}s', 'tag s'],
    ['lone \ud83d surrogate', 'lone surrogate'],
    ['Grüße, 注文 🛒', 'Grüße, 注文 🛒'],
  ])('%j becomes %j', (description, text) => {
    const found = candidate(shop({ description }));
    expect(found.description).toBe(text);
    expect(found.tenantDescription).toBe(true);
  });

  test('a long one is truncated, with an ellipsis', () => {
    const { description } = candidate(shop({ description: '🛒'.repeat(10_000) }));
    expect([...description].length).toBeLessThanOrEqual(200);
    expect(description).toMatch(/^(🛒)+…$/u);
  });

  test.each(['', '   ', '\n\u200b\u202e'])('an empty one, %j, keeps that of the detector', (description) => {
    const found = candidate(shop({ description }));
    expect(found.tenantDescription).toBe(false);
    expect(found.description).toBe(found.kind);
  });
});

describe("limits and forms of an owner's texts", () => {
  test.each([
    '//evil.example/x',
    '/*',
    '/%2a',
    '/a/../b',
    '/a/%2e%2e/b',
    '/%2e%2e%2fx',
    '/..%2fx',
    '/a/.;/b',
    '/a/..;x/b',
    '/a%5cb',
    '/a%252e',
    '/a%00',
    '/a%3bb',
    '/%zz',
  ])('a path %j is rejected, for health and in the endpoint', (path) => {
    expect(word(shop({ 'health-path': path })).healthPath).toBeUndefined();
    expect(word(shop({ endpoint: `http://shop:8080${path}` }))).toMatchObject({ refused: true });
  });

  test.each(['/', '/api/v1', '/a;b=c/d', '/a%20b', '/.well-known/x', '/a.b..c'])(
    'a path %j is accepted',
    (path) => {
      expect(word(shop({ 'health-path': path }))).toMatchObject({ healthPath: path, problems: [] });
      expect(word(shop({ endpoint: `http://shop:8080${path}` })).endpoint?.path).toBe(
        path === '/' ? '' : path,
      );
    },
  );

  test('a path has at most 128 bytes', () => {
    const longest = `/${'a'.repeat(127)}`;
    expect(word(shop({ 'health-path': longest, endpoint: `http://shop:8080${longest}` })).problems).toEqual(
      [],
    );
    const said = word(shop({ 'health-path': `${longest}a`, endpoint: `http://shop:8080${longest}a` }));
    expect(said.problems.map(({ what }) => what)).toEqual([
      'annotation kubernaut.io/toolset-health-path is longer than 128 bytes',
      'annotation kubernaut.io/toolset-endpoint has a path that is longer than 128 bytes',
    ]);
  });

  test('a description has at most 200 bytes, and is truncated between two characters', () => {
    expect(word(shop({ description: 'a'.repeat(200) })).description).toBe('a'.repeat(200));
    for (const character of ['a', 'é', '€', '😀']) {
      const { description = '' } = word(shop({ description: character.repeat(201) }));
      expect(Buffer.byteLength(description)).toBeLessThanOrEqual(200);
      expect(Buffer.byteLength(description)).toBeGreaterThan(195);
      expect(description).toMatch(new RegExp(`^(?:${character})+…$`, 'u'));
    }
  });
});

describe('two owners who request one name', () => {
  test('one gets it, in whatever case, and the others fall back', () => {
    const { candidates } = detected(
      offered('a', { name: 'shop' }),
      offered('b', { name: 'shop' }, { namespace: 'default' }),
      offered('c', { name: 'Shop' }),
    );
    const tools = Object.fromEntries(candidates.map(({ service, tool }) => [service.name, tool]));
    expect(tools).toEqual({ a: 'a.monitoring', b: 'shop', c: 'c.monitoring' });
  });

  test('a name cannot be that of another Service without annotations', () => {
    const { candidates } = detected(
      service('grafana', { ports: [3000] }),
      offered('a', { name: 'grafana.monitoring' }),
    );
    const tools = candidates.map(({ tool }) => tool);
    expect(new Set(tools).size).toBe(2);
    expect(candidates.find(({ tool }) => tool === 'grafana.monitoring')?.service.name).toBe('grafana');
  });
});
