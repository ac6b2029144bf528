/** Parts of the dashboard's expressions. */

/** What selects the installation that is looked at. */
const CHOSEN = 'namespace=~"$namespace", job=~"$job"';
const PROCESS = 'on (job, instance)';

/** A metric of ours. @param more further matchers */
export const ours = (name: string, more = ''): string =>
  `dynamic_toolset_${name}{${CHOSEN}${more === '' ? '' : `, ${more}`}}`;
/** A metric that other programs have, too: of our processes alone. @param made what to make of it, such as its rate */
export const ofProcess = (name: string, made = (metric: string): string => metric): string =>
  `${made(`${name}{${CHOSEN}}`)} and ${PROCESS} dynamic_toolset_build_info{${CHOSEN}}`;
/** Matches the process that leads. */
export const leads = `${PROCESS} ${ours('leader')} == 1`;
export const rate = (metric: string): string => `rate(${metric}[$__rate_interval])`;
export const increase = (metric: string): string => `increase(${metric}[$__rate_interval])`;
/** Discoveries are minutes apart. */
export const SEVERAL_DISCOVERIES = '30m';
/** @param by further labels to keep, each after a comma. @param more further matchers */
export const quantile = (
  share: number,
  histogram: string,
  by = '',
  more = '',
  range = '$__rate_interval',
): string =>
  `histogram_quantile(${share}, sum by (le${by}) (rate(${ours(`${histogram}_bucket`, more)}[${range}])))`;

/** Excludes event streams, and discoveries that a client waits for. */
export const QUICK = 'route!~"/api/v1/(events|discover)"';
export const BACKENDS = `{__name__=~"dynamic_toolset_services_(healthy|unhealthy)", ${CHOSEN}}`;
/** Three default discovery intervals, in seconds. */
export const AGE = 900;
