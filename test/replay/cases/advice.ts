import { NGINX_NOT_FOUND, serving, text, wall } from '../answers.ts';
import { type Kind, labels, port } from '../case.ts';
import { loki } from '../products/grafana.ts';
import { ALERTMANAGER, PROMETHEUS } from '../products/prometheus.ts';

const one = (name: string) => ({ name: `${name}-0`, labels: { app: name } });

export const ADVICE: Kind = {
  title: '13, advice of explain',
  cases: [
    {
      name: 'an API that nothing identifies, one that its owner excluded, and one of another role',
      source: 'docs/detection.md, What the owner of a Service can say',
      services: [
        { name: 'reports', selector: { app: 'reports' }, ports: [port('http', 8080, 8080)] },
        {
          name: 'prometheus',
          labels: labels('prometheus', 'x'),
          annotations: { 'kubernaut.io/toolset': 'false' },
          selector: { app: 'reports' },
          ports: [port('web', 9090, 9090)],
        },
        {
          name: 'loki-canary',
          labels: labels('loki', 'x', { 'app.kubernetes.io/component': 'canary' }),
          selector: { app: 'reports' },
          ports: [port('http-metrics', 3500, 3500)],
        },
      ],
      pods: [
        {
          ...one('reports'),
          ports: [
            { number: 8080, serves: serving({ '/': text('reports') }) },
            { number: 9090, serves: serving(PROMETHEUS) },
          ],
        },
      ],
      truth: {
        found: {},
        holmes: [],
        advice: {
          reports: [
            'kubectl annotate service -n NS reports kubernaut.io/toolset=true',
            'dynamic-toolset approve NS/reports',
          ],
          prometheus: [/kubectl annotate service -n NS prometheus .*kubernaut\.io\/toolset-/],
          // The type of the product would be wrong for it.
          'loki-canary': ['It looks like something beside loki.', 'dynamic-toolset discover'],
        },
      },
    },
    {
      name: 'a backend with 404 at every path, and one that needs a tenant',
      source: 'docs/configuration.md, Options of detectors, Tenants of a backend',
      services: [
        {
          name: 'alertmanager',
          labels: labels('alertmanager', 'x'),
          selector: { app: 'blank' },
          ports: [port('web', 9093, 9093)],
        },
        {
          name: 'loki',
          labels: labels('loki', 'x'),
          selector: { app: 'loki' },
          ports: [port('http-metrics', 3100, 3100)],
        },
      ],
      pods: [
        { ...one('blank'), ports: [{ number: 9093, serves: wall(NGINX_NOT_FOUND) }] },
        { ...one('loki'), ports: [{ number: 3100, serves: serving(loki(true)) }] },
      ],
      truth: {
        found: {
          alertmanager: {
            is: 'alertmanager http:9093',
            proven: 'NoProof',
            healthy: 'HealthPathNotFound',
            says: ['detectors.alertmanager.paths["NS/alertmanager"]'],
          },
          loki: { is: 'loki http:3100', published: 'NeedsTenant', tenant: 'NoTenant' },
        },
        holmes: ['alertmanager http://alertmanager:9093/api/v2/status'],
        advice: {
          alertmanager: ['NS/alertmanager:', 'endpoint: "http://alertmanager:9093/PATH"'],
          loki: ['tenants:', 'NS/loki: '],
        },
      },
    },
    {
      name: 'a backend whose Pods are gone, and one that is something else',
      source: 'docs/conditions.md',
      services: [
        {
          name: 'alertmanager',
          labels: labels('alertmanager', 'x'),
          selector: { app: 'alertmanager' },
          ports: [port('web', 9093, 9093)],
        },
        {
          name: 'grafana',
          labels: labels('grafana', 'x'),
          selector: { app: 'portal' },
          ports: [port('http', 3000, 3000)],
        },
      ],
      pods: [
        { ...one('alertmanager'), ports: [{ number: 9093, serves: serving(ALERTMANAGER) }], ready: false },
        { ...one('portal'), ports: [{ number: 3000, serves: serving({ '/': text('a portal') }) }] },
      ],
      truth: {
        found: {
          alertmanager: {
            is: 'alertmanager http:9093',
            proven: 'NoProof',
            healthy: 'NoReadyEndpoints',
            published: 'Unhealthy',
          },
        },
        holmes: [],
        warns: [/grafana: .*left out/],
        advice: { alertmanager: [/kubectl/], grafana: [/kubectl|detectors|overrides/] },
      },
    },
  ],
};
