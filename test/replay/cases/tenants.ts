import { below, json, NOT_FOUND, send, serving, text } from '../answers.ts';
import { type Case, type Kind, labels, port } from '../case.ts';
import { loki, mimir, tempo } from '../products/grafana.ts';

const SHARED = { published: 'NeedsTenant', tenant: 'NoTenant' } as const;
const KNOWN = { tenant: 'TenantConfigured' } as const;

/** The gateway of Loki's chart, which passes on to the read path. */
const lokiGateway = (pod: string): Pick<Case, 'services' | 'pods'> => ({
  services: [
    {
      name: 'loki-gateway',
      labels: labels('loki', 'loki', { 'app.kubernetes.io/component': 'gateway' }),
      selector: labels('loki', 'loki', { 'app.kubernetes.io/component': 'gateway' }),
      ports: [port('http-metrics', 80, 'http-metrics')],
    },
  ],
  pods: [
    {
      name: pod,
      labels: labels('loki', 'loki', { 'app.kubernetes.io/component': 'gateway' }),
      ports: [
        {
          number: 8080,
          name: 'http-metrics',
          // Its nginx answers `/` by itself, and has no `/ready`.
          serves: serving({ ...loki(true), '/': text('OK'), '/ready': NOT_FOUND }),
        },
      ],
    },
  ],
});

const mimirGateway = (name: string): Pick<Case, 'services' | 'pods'> => ({
  services: [
    {
      name,
      labels: labels('mimir', 'mimir', { 'app.kubernetes.io/component': 'gateway' }),
      selector: { app: name },
      ports: [port('http-metrics', 80, 'http-metrics'), port('legacy-http-metrics', 8080, 'http-metrics')],
    },
  ],
  pods: [
    {
      name: `${name}-0`,
      labels: { app: name },
      ports: [{ number: 8080, name: 'http-metrics', serves: serving(mimir(true)) }],
    },
  ],
});

/**
 * The gateway of a LokiStack: a path for each tenant, and nothing without a token.
 * Source: https://loki-operator.dev/docs/howto_connect_grafana.md/
 */
const lokiStack: Pick<Case, 'services' | 'pods'> = {
  services: [
    {
      name: 'logging-loki-gateway-http',
      labels: labels('lokistack', 'logging-loki', {
        'app.kubernetes.io/component': 'lokistack-gateway',
        'app.kubernetes.io/created-by': 'lokistack-controller',
      }),
      annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'logging-loki-gateway-http' },
      selector: labels('lokistack', 'logging-loki', { 'app.kubernetes.io/component': 'lokistack-gateway' }),
      ports: [port('metrics', 8081, 'metrics'), port('public', 8080, 'public')],
    },
  ],
  pods: [
    {
      name: 'logging-loki-gateway-0',
      labels: labels('lokistack', 'logging-loki', { 'app.kubernetes.io/component': 'lokistack-gateway' }),
      ports: [
        {
          number: 8080,
          name: 'public',
          tls: 'private',
          serves: (request, response) => {
            const isTenant = /^\/api\/logs\/v1\/(application|infrastructure|audit)\//.test(request.url ?? '');
            send(response, isTenant ? text('missing bearer token\n', 401) : NOT_FOUND);
          },
        },
        { number: 8081, name: 'metrics', tls: 'private', serves: serving({ '/metrics': text('# HELP\n') }) },
      ],
    },
  ],
};

export const TENANTS: Kind = {
  title: '3, tenants',
  cases: [
    {
      name: "the default of Loki's chart, auth_enabled: true",
      source: 'https://grafana.com/docs/loki/latest/operations/multi-tenancy/',
      ...lokiGateway('loki-gateway-0'),
      truth: {
        found: { 'loki-gateway': { is: 'loki http:80', ...SHARED, says: ['NS/loki-gateway', 'tenants'] } },
        holmes: [],
        warns: ['NS/loki-gateway'],
      },
    },
    {
      name: 'the same Loki with the tenant of the Service in the settings',
      source: 'https://grafana.com/docs/loki/latest/operations/multi-tenancy/',
      ...lokiGateway('loki-gateway-0'),
      settings: { tenants: { 'NS/loki-gateway': 'team-a|team-b' } },
      truth: {
        found: { 'loki-gateway': { is: 'loki http:80', ...KNOWN } },
        holmes: ['grafana/loki http://loki-gateway:80 tenant=team-a|team-b'],
      },
    },
    {
      name: 'Mimir with two tenants for all backends of the namespace',
      source: 'https://grafana.com/docs/mimir/latest/manage/secure/authentication-and-authorization/',
      ...mimirGateway('mimir-gateway'),
      settings: { tenants: { 'NS/*': ['payments', 'search'] } },
      truth: {
        found: { 'mimir-gateway': { is: 'mimir http:80/prometheus', ...KNOWN } },
        holmes: [
          'prometheus/metrics http://mimir-gateway:80/prometheus tenant=payments',
          'prometheus/metrics http://mimir-gateway:80/prometheus tenant=search',
        ],
      },
    },
    {
      name: 'Mimir without its tenant',
      source: 'https://grafana.com/docs/mimir/latest/manage/secure/authentication-and-authorization/',
      ...mimirGateway('mimir-nginx'),
      truth: {
        found: { 'mimir-nginx': { is: 'mimir http:80/prometheus', ...SHARED } },
        holmes: [],
        warns: [/tenants/],
      },
    },
    {
      name: 'Mimir with a tenant for all of its type',
      source: 'https://grafana.com/docs/mimir/latest/manage/secure/authentication-and-authorization/',
      ...mimirGateway('mimir-gateway'),
      settings: { tenants: { mimir: 'anonymous' } },
      byType: true,
      truth: {
        found: { 'mimir-gateway': { is: 'mimir http:80/prometheus', ...KNOWN } },
        holmes: ['prometheus/metrics http://mimir-gateway:80/prometheus tenant=anonymous'],
      },
    },
    {
      name: 'Tempo with multitenancy_enabled',
      source: 'https://grafana.com/docs/tempo/latest/operations/manage-advanced-systems/multitenancy/',
      services: [
        {
          name: 'tempo-query-frontend',
          labels: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'query-frontend' }),
          selector: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'query-frontend' }),
          ports: [port('http-metrics', 3200, 'http-metrics'), port('grpc', 9095, 'grpc')],
        },
      ],
      pods: [
        {
          name: 'tempo-query-frontend-0',
          labels: labels('tempo', 'tempo', { 'app.kubernetes.io/component': 'query-frontend' }),
          ports: [{ number: 3200, name: 'http-metrics', serves: serving(tempo(true)) }],
        },
      ],
      truth: {
        found: { 'tempo-query-frontend': { is: 'tempo http:3200', ...SHARED } },
        holmes: [],
        warns: [/tenants/],
      },
    },
    {
      name: 'Loki of one tenant, which needs none',
      source: 'https://grafana.com/docs/loki/latest/configure/ (auth_enabled: false)',
      services: [
        {
          name: 'loki',
          labels: { app: 'loki', release: 'loki' },
          selector: { app: 'loki' },
          ports: [port('http-metrics', 3100, 'http-metrics')],
        },
      ],
      pods: [
        {
          name: 'loki-0',
          labels: { app: 'loki' },
          ports: [{ number: 3100, name: 'http-metrics', serves: serving(loki(false)) }],
        },
      ],
      truth: {
        found: { loki: { is: 'loki http:3100' } },
        holmes: ['grafana/loki http://loki:3100'],
      },
    },
    {
      name: 'Loki below a path, which needs a tenant, too',
      source: 'https://grafana.com/docs/loki/latest/configure/#server (http_path_prefix)',
      services: [
        {
          name: 'loki',
          labels: labels('loki', 'loki'),
          selector: labels('loki', 'loki'),
          ports: [port('http-metrics', 3100, 'http-metrics')],
        },
      ],
      pods: [
        {
          name: 'loki-0',
          labels: labels('loki', 'loki'),
          ports: [{ number: 3100, name: 'http-metrics', serves: serving(below('/loki', loki(true))) }],
        },
      ],
      settings: { tenants: { 'NS/loki': 'ops' } },
      truth: {
        found: { loki: { is: 'loki http:3100/loki', ...KNOWN } },
        holmes: ['grafana/loki http://loki:3100/loki tenant=ops'],
      },
    },
    {
      name: 'a LokiStack without a token',
      source: 'https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/logging/',
      ...lokiStack,
      truth: {
        found: {
          'logging-loki-gateway-http': {
            is: 'loki https:8080/api/logs/v1/application',
            proven: 'CredentialsRequired',
            healthy: 'CredentialsRequired',
            published: 'NeedsCredentials',
            trusted: 'UnknownAuthority',
          },
        },
        holmes: [],
      },
    },
    {
      name: 'a LokiStack with a token: an instance for each of its three tenants',
      source: 'https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/logging/',
      ...lokiStack,
      settings: { credentials: { 'NS/logging-loki-gateway-http': { apiKey: 'LOKI_TOKEN' } } },
      truth: {
        found: {
          'logging-loki-gateway-http': {
            is: 'loki https:8080/api/logs/v1/application',
            proven: 'CredentialsRequired',
            healthy: 'CredentialsRequired',
            trusted: 'UnknownAuthority',
          },
        },
        holmes: ['application', 'infrastructure', 'audit'].map(
          (tenant) => `grafana/loki https://logging-loki-gateway-http:8080/api/logs/v1/${tenant}`,
        ),
      },
    },
    {
      name: 'a server that wants a login for data is not one that wants a tenant',
      source:
        'https://grafana.com/docs/loki/latest/operations/authentication/ (basic authentication in a proxy)',
      services: [
        {
          name: 'loki',
          labels: labels('loki', 'loki'),
          selector: labels('loki', 'loki'),
          ports: [port('http', 3100, 3100)],
        },
      ],
      pods: [
        {
          name: 'loki-0',
          labels: labels('loki', 'loki'),
          ports: [
            {
              number: 3100,
              serves: serving({
                ...loki(true),
                '/loki/api/v1/query': json({ message: 'Unauthorized' }, 401, {
                  'www-authenticate': 'Basic realm="loki"',
                }),
              }),
            },
          ],
        },
      ],
      truth: {
        found: { loki: { is: 'loki http:3100' } },
        holmes: ['grafana/loki http://loki:3100'],
      },
    },
  ],
};
