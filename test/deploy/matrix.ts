import type { Values } from './chart.ts';

/** Namespaces that values name; each test puts its own there. */
export interface Places {
  readonly watched: string;
  readonly other: string;
  readonly holmes: string;
}

/** Values that together turn on everything that the chart can do, by what they are for. */
export const matrix = ({ watched, other, holmes }: Places): Readonly<Record<string, Values>> => ({
  'one namespace': { settings: { namespaces: [watched] } },
  'two namespaces': { settings: { namespaces: [watched, other] } },
  'all namespaces': { settings: { namespaces: ['*'] } },
  'another namespace for the ConfigMap': { settings: { namespaces: [watched], configMapNamespace: other } },
  "HolmesGPT's ConfigMap and restart": {
    settings: {
      namespaces: [watched],
      holmesgptDeployment: `${holmes}/holmes-holmes`,
      holmesgptConfigMap: true,
      holmesgptReload: 'restart',
    },
    holmesgpt: { configMapName: 'custom-toolsets-configmap' },
  },
  "HolmesGPT's ConfigMap alone": {
    settings: {
      namespaces: [watched],
      holmesgptDeployment: `${holmes}/holmes-holmes`,
      holmesgptConfigMap: true,
    },
    holmesgpt: { configMapName: 'custom-toolsets-configmap' },
  },
  "HolmesGPT's endpoint": {
    settings: {
      namespaces: [watched],
      holmesgptReload: 'endpoint',
      holmesgptUrl: 'http://holmes-holmes.holmesgpt.svc.cluster.local',
    },
    holmesgpt: { apiKeySecret: { name: 'holmes-api-key' } },
  },
  'no tokens, no election': {
    replicas: 1,
    settings: { namespaces: [watched], authEnabled: false, leaderElection: false },
  },
  'access reviews': {
    settings: { namespaces: [watched], authorizationEnabled: true },
    monitoring: {
      serviceMonitor: {
        enabled: true,
        prometheusServiceAccount: { name: 'prometheus', namespace: watched },
      },
    },
  },
  monitoring: {
    settings: { namespaces: [watched], authorizationEnabled: true },
    tls: { secretName: 'certificate' },
    monitoring: {
      serviceMonitor: {
        enabled: true,
        labels: { release: 'stack' },
        tlsConfig: { insecureSkipVerify: true },
        prometheusServiceAccount: { name: 'prometheus' },
      },
      prometheusRule: { enabled: true },
      dashboard: { enabled: true },
    },
  },
  'a token of a Secret for Prometheus': {
    settings: { namespaces: [watched] },
    monitoring: { serviceMonitor: { enabled: true, tokenSecret: { name: 'scrape' } } },
  },
  'certificates of clients, and a NetworkPolicy': {
    settings: { namespaces: [watched, other] },
    tls: { secretName: 'certificate', clientCaConfigMap: 'client-ca' },
    networkPolicy: {
      extraEgress: [{ to: [{ ipBlock: { cidr: '10.0.0.0/8' } }] }],
    },
  },
  'a NetworkPolicy for all namespaces': {
    settings: { namespaces: ['*'] },
    networkPolicy: {
      apiFrom: [{ namespaceSelector: {} }],
      apiServerPorts: [8443],
      apiServerCidrs: ['10.0.0.10/32', 'fd00::1/128'],
    },
  },
  'no NetworkPolicy': { settings: { namespaces: [watched] }, networkPolicy: { enabled: false } },
  'a Prometheus without the operator': {
    settings: { namespaces: [watched], authorizationEnabled: true },
    monitoring: { serviceMonitor: { prometheusServiceAccount: { name: 'prometheus', namespace: watched } } },
  },
  'everything about the Pod': {
    replicas: 3,
    fullnameOverride: 'toolset',
    image: { repository: 'registry.example/dynamic-toolset', digest: `sha256:${'0'.repeat(64)}` },
    imagePullSecrets: [{ name: 'pull' }],
    settings: { namespaces: [watched], leaseName: 'toolset-lease', shutdownDelay: '1m', maxBackends: 10_000 },
    detectors: { grafana: { enabled: false }, loki: { namespaces: ['team-*'] } },
    credentials: {
      grafana: { apiKey: 'GRAFANA_API_KEY', namespaces: ['monitoring'] },
      'logging/loki': { bearerToken: 'LOKI_TOKEN' },
    },
    customDetectors: { 'mine.yaml': 'type: mine\n' },
    serviceAccount: { name: 'toolset-account', annotations: { a: 'b' } },
    service: { annotations: { a: 'b' } },
    extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/authority/ca.crt' }],
    extraVolumes: [{ name: 'authority', configMap: { name: 'authority' } }],
    extraVolumeMounts: [{ name: 'authority', mountPath: '/etc/authority' }],
    podAnnotations: { a: 'b' },
    podLabels: { team: 'observability' },
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { team: 'observability' } },
      },
    ],
  },
});
