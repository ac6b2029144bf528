import { json, serving } from '../answers.ts';
import { type Case, type Kind, labels, type PodPort, port } from '../case.ts';
import { PROMETHEUS, THANOS_QUERY } from '../products/prometheus.ts';
import { KUBE_RBAC_PROXY } from '../products/walls.ts';

const ECK = {
  'common.k8s.elastic.co/type': 'elasticsearch',
  'elasticsearch.k8s.elastic.co/cluster-name': 'logs',
};
const SECURED = serving(
  {},
  json({ error: { type: 'security_exception' }, status: 401 }, 401, {
    'www-authenticate': 'Basic realm="security", charset="UTF-8"',
    'x-elastic-product': 'Elasticsearch',
  }),
);

/** A Prometheus that serves TLS itself. */
const secure = (tls: NonNullable<PodPort['tls']>): Pick<Case, 'services' | 'pods'> => ({
  services: [
    {
      name: 'prometheus',
      labels: labels('prometheus', 'prometheus'),
      selector: labels('prometheus', 'prometheus'),
      ports: [port('https-web', 9090, 9090)],
    },
  ],
  pods: [
    {
      name: 'prometheus-0',
      labels: labels('prometheus', 'prometheus'),
      ports: [{ number: 9090, tls, serves: serving(PROMETHEUS) }],
    },
  ],
});

const WEB_CONFIG = 'https://prometheus.io/docs/prometheus/latest/configuration/https/';
const HOLMES = ['prometheus/metrics https://prometheus:9090'];

export const CERTIFICATES: Kind = {
  title: '9, certificates',
  cases: [
    {
      name: 'Elasticsearch of ECK, with the authority of its operator',
      source: 'https://www.elastic.co/docs/deploy-manage/security/k8s-https-settings',
      services: [{ name: 'logs-es-http', labels: ECK, selector: ECK, ports: [port('https', 9200, 9200)] }],
      pods: [
        {
          name: 'logs-es-default-0',
          labels: ECK,
          ports: [{ number: 9200, tls: 'private', serves: SECURED }],
        },
      ],
      truth: {
        found: {
          'logs-es-http': {
            is: 'elasticsearch https:9200',
            healthy: 'CredentialsRequired',
            published: 'NeedsCredentials',
            trusted: 'UnknownAuthority',
          },
        },
        holmes: [],
      },
    },
    {
      name: 'Prometheus with a self-signed certificate',
      source: WEB_CONFIG,
      ...secure('self-signed'),
      truth: {
        found: { prometheus: { is: 'prometheus https:9090', trusted: 'SelfSigned' } },
        holmes: HOLMES,
        warns: [
          /HolmesGPT may refuse it: its certificate is self-signed.*the setting certificates, and to the agent/,
        ],
      },
      throughProxy: { warns: [] },
    },
    {
      name: 'Prometheus with a certificate of a configured authority',
      source: WEB_CONFIG,
      ...secure('known'),
      truth: {
        found: { prometheus: { is: 'prometheus https:9090', trusted: 'CertificateTrusted' } },
        holmes: HOLMES,
      },
    },
    {
      name: 'Prometheus with an expired certificate',
      source: WEB_CONFIG,
      ...secure('expired'),
      truth: {
        found: { prometheus: { is: 'prometheus https:9090', trusted: 'CertificateExpired' } },
        holmes: HOLMES,
        warns: [/its certificate expired.*replace its certificate/],
      },
      throughProxy: { warns: [] },
    },
    {
      name: 'Prometheus with the certificate of its Ingress',
      source: WEB_CONFIG,
      ...secure('other-host'),
      truth: {
        found: { prometheus: { is: 'prometheus https:9090', trusted: 'OtherHostName' } },
        holmes: HOLMES,
        warns: [/another host name/],
      },
      throughProxy: { warns: [] },
    },
    {
      name: 'Thanos that serves TLS on a port with a plain name',
      source: 'https://thanos.io/tip/operating/https.md/',
      services: [
        {
          name: 'thanos-query',
          labels: labels('thanos-query', 'thanos'),
          selector: labels('thanos-query', 'thanos'),
          ports: [port('http', 9090, 10902)],
        },
      ],
      pods: [
        {
          name: 'thanos-query-0',
          labels: labels('thanos-query', 'thanos'),
          ports: [{ number: 10902, tls: 'private', serves: serving(THANOS_QUERY) }],
        },
      ],
      truth: {
        found: { 'thanos-query': { is: 'thanos https:9090', trusted: 'UnknownAuthority' } },
        holmes: ['prometheus/metrics https://thanos-query:9090'],
      },
    },
    {
      name: 'the Thanos of OpenShift, with the token of the agent',
      source: 'https://docs.redhat.com/en/documentation/openshift_container_platform/4.18/html/monitoring/',
      services: [
        {
          name: 'thanos-querier',
          labels: labels('thanos-query', 'thanos-querier', {
            'app.kubernetes.io/part-of': 'openshift-monitoring',
          }),
          annotations: { 'service.beta.openshift.io/serving-cert-secret-name': 'thanos-querier-tls' },
          selector: labels('thanos-query', 'thanos-querier'),
          ports: [
            port('web', 9091, 'web'),
            port('tenancy', 9092, 'tenancy'),
            port('metrics', 9094, 'metrics'),
          ],
        },
      ],
      pods: [
        {
          name: 'thanos-querier-0',
          labels: labels('thanos-query', 'thanos-querier'),
          ports: [{ number: 9091, name: 'web', tls: 'known', serves: KUBE_RBAC_PROXY }],
        },
      ],
      settings: { credentials: { 'NS/thanos-querier': { agentToken: true } } },
      truth: {
        found: {
          'thanos-querier': {
            is: 'thanos https:9091',
            proven: 'CredentialsRequired',
            healthy: 'CredentialsRequired',
            trusted: 'CertificateTrusted',
          },
        },
        holmes: ['prometheus/metrics https://thanos-querier:9091'],
      },
    },
  ],
};
