import { type Answers, below, json, page, text, to } from '../answers.ts';

const BUILD = {
  version: '3.5.0',
  revision: '8be3a9560fbdd18a94dedec4b747c35178177202',
  branch: 'HEAD',
  buildUser: 'root@4451b64cb451',
  buildDate: '20250714-16:15:23',
  goVersion: 'go1.24.5',
};

/** Prometheus' own API. Source: https://prometheus.io/docs/prometheus/latest/management_api/ and querying/api/ */
export const PROMETHEUS: Answers = {
  '/': to('/query'),
  '/query': page(
    '<!doctype html><html lang="en"><head><title>Prometheus Time Series Collection and Processing Server</title></head></html>',
  ),
  '/-/healthy': text('Prometheus Server is Healthy.\n'),
  '/-/ready': text('Prometheus Server is Ready.\n'),
  '/api/v1/status/buildinfo': json({ status: 'success', data: BUILD }),
  '/api/v1/query': json({ status: 'success', data: { resultType: 'vector', result: [] } }),
};

/**
 * With `--web.route-prefix`, or a path in `--web.external-url`: all is below it, and `/` leads there.
 * Source: https://github.com/prometheus/prometheus/blob/main/web/web.go
 */
export const prometheusBelow = (prefix: string): Answers => ({
  ...below(prefix, { ...PROMETHEUS, '/': to(`${prefix}/query`) }),
  '/': to(prefix),
});

/** In agent mode. Source: https://prometheus.io/docs/prometheus/latest/prometheus_agent/ */
export const PROMETHEUS_AGENT: Answers = {
  '/': to('/agent'),
  '/-/healthy': text('Prometheus Agent is Healthy.\n'),
  '/-/ready': text('Prometheus Agent is Ready.\n'),
  '/api/v1/status/buildinfo': json({ status: 'success', data: BUILD }),
  '/api/v1/query': json(
    { status: 'error', errorType: 'unavailable', error: 'unavailable with Prometheus Agent' },
    422,
  ),
};

/** Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml */
export const ALERTMANAGER: Answers = {
  '/': page('<!DOCTYPE html><html><head><title>Alertmanager</title></head></html>'),
  '/-/healthy': text('OK'),
  '/-/ready': text('OK'),
  '/api/v2/status': json({
    cluster: { name: '01J', peers: [], status: 'ready' },
    config: { original: 'route:\n  receiver: "null"\nreceivers:\n- name: "null"\n' },
    uptime: '2026-11-01T08:00:00.000Z',
    versionInfo: { branch: 'HEAD', goVersion: 'go1.24.5', version: '0.28.1', revision: 'b2099eaa2c9e' },
  }),
};

export const alertmanagerBelow = (prefix: string): Answers => ({
  ...below(prefix, ALERTMANAGER),
  '/': to(prefix),
});

/** Source: https://thanos.io/tip/components/query.md/ */
export const THANOS_QUERY: Answers = {
  '/': to('/graph'),
  '/-/healthy': text('OK'),
  '/-/ready': text('OK'),
  '/api/v1/status/buildinfo': json({ status: 'success', data: { ...BUILD, version: '0.39.2' } }),
  '/api/v1/stores': json({ status: 'success', data: { sidecar: [] } }),
};
