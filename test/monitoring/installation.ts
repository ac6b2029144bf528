/** What two replicas of an installation look like to Prometheus. */

/** Values of series in promtool's notation, one each 30 s; `null` takes a series away. */
export type Series = Readonly<Record<string, string | null>>;

const INSTALLED = 'job="toolset", namespace="ops"';
export const A = `${INSTALLED}, instance="a"`;
export const B = `${INSTALLED}, instance="b"`;
/** Two hours. */
export const STEPS = 240;
export const always = (value: number): string => `${value}x${STEPS}`;
/** What is so for the first half hour, and then is not. */
export const half = (before: string, after: string): string => `${before}x59 ${after}x180`;
export const ours = (name: string, labels: string): string => `dynamic_toolset_${name}{${labels}}`;

export function replica(labels: string, leads: boolean): Series {
  return {
    [`up{${labels}}`]: always(1),
    [`process_start_time_seconds{${labels}}`]: always(0),
    [ours('build_info', `${labels}, version="1.0.0"`)]: always(1),
    [ours('leader', labels)]: always(leads ? 1 : 0),
    [ours('ready', `${labels}, check="discovery"`)]: always(1),
    [ours('discovery_interval_seconds', labels)]: always(300),
    [ours('config_last_reload_successful', labels)]: always(1),
    [ours('overrides_valid', labels)]: always(1),
    [ours('namespaces_denied', labels)]: always(0),
    [ours('last_success_timestamp_seconds', `${labels}, stage="discovery"`)]: `0+30x${STEPS}`,
    ...(leads
      ? { [ours('last_success_timestamp_seconds', `${labels}, stage="reconciliation"`)]: `0+30x${STEPS}` }
      : {}),
    [ours('discovery_duration_seconds_sum', labels)]: `0+1x${STEPS}`,
    [ours('discovery_duration_seconds_count', labels)]: `0+1x${STEPS}`,
    [ours('watch_restarts_total', `${labels}, reason="ended"`)]: `0+2x${STEPS}`,
    [ours('configmap_updates_total', `${labels}, result="success"`)]: `1+1x${STEPS}`,
    [ours('configmap_updates_total', `${labels}, result="failure"`)]: always(0),
    [ours('configmap_drift_detected_total', `${labels}, kind="toolset.json"`)]: always(0),
    [ours('removals_held_total', labels)]: always(0),
    [ours('rollbacks_total', labels)]: always(0),
    [ours('history_last_write_successful', labels)]: always(1),
    ...(leads ? { [ours('agent_up_to_date', labels)]: always(1) } : {}),
    [ours('auth_failures_total', `${labels}, reason="invalid"`)]: always(0),
    [ours('auth_failures_total', `${labels}, reason="unavailable"`)]: always(0),
    [ours('api_requests_total', `${labels}, method="GET", route="/api/v1/toolsets", status="200"`)]:
      `0+30x${STEPS}`,
    [ours('api_requests_total', `${labels}, method="GET", route="/ready", status="200"`)]: `0+6x${STEPS}`,
    [ours('api_request_duration_seconds_bucket', `${labels}, route="/api/v1/toolsets", le="1"`)]:
      `0+30x${STEPS}`,
    [ours('api_request_duration_seconds_bucket', `${labels}, route="/api/v1/toolsets", le="5"`)]:
      `0+30x${STEPS}`,
    [ours('api_request_duration_seconds_bucket', `${labels}, route="/api/v1/toolsets", le="+Inf"`)]:
      `0+30x${STEPS}`,
    // Clients that listen for hours.
    [ours('api_request_duration_seconds_bucket', `${labels}, route="/api/v1/events", le="5"`)]: always(0),
    [ours('api_request_duration_seconds_bucket', `${labels}, route="/api/v1/events", le="+Inf"`)]:
      `0+90x${STEPS}`,
  };
}

export const healthyOf = (labels: string): Series => ({
  [ours('services_healthy', `${labels}, type="loki"`)]: always(2),
  [ours('services_healthy', `${labels}, type="prometheus"`)]: always(3),
});
export const found = (labels: string): Series => ({
  ...healthyOf(labels),
  [ours('services_unhealthy', `${labels}, type="loki"`)]: always(1),
});
export const nothing = (series: Series): Series =>
  Object.fromEntries(Object.keys(series).map((name) => [name, null]));
export const TOOLS = ours('tools_count', `${A}, type="prometheus"`);

/** Another program, in the same namespace. */
const STRANGER: Series = {
  'up{job="other", namespace="ops", instance="x"}': '0x240',
  'process_start_time_seconds{job="other", namespace="ops", instance="x"}': `0+30x${STEPS}`,
};

/** An installation in which all is well. */
export const HEALTHY: Series = {
  ...replica(A, true),
  ...replica(B, false),
  ...found(A),
  ...found(B),
  [TOOLS]: always(5),
  ...STRANGER,
};

/** Each series from the fifth sample on: what is there two minutes after the rules. */
export const fresh = (series: Series): Series =>
  Object.fromEntries(
    Object.entries(series).map(([name, values]) => [name, values === null ? null : `_x4 ${values}`]),
  );
/** Each series as it is until half an hour, and then no more: the target is gone. */
export const ending = (series: Series): Series =>
  Object.fromEntries(
    Object.entries(series).map(([name, values]) => [
      name,
      values === null ? null : `${values.replace(`x${STEPS}`, 'x59')} stale`,
    ]),
  );
/** Each series from half an hour on. */
export const beginning = (series: Series): Series =>
  Object.fromEntries(
    Object.entries(series).map(([name, values]) => [name, values === null ? null : `_x60 ${values}`]),
  );

export const NO_BACKENDS: Series = { ...nothing(found(A)), ...nothing(found(B)), [TOOLS]: null };
export const C = `${INSTALLED}, instance="c"`;
