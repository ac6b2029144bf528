import { isMapping, type Mapping, mappingOf } from '../../../model/mapping.ts';
import {
  bestUnionBranch,
  checkModel,
  fault,
  type HolmesFault,
  isFault,
  kindOf,
  notMapping,
  notOneOf,
  type Path,
  warning,
} from './model-check.ts';
import { HOLMES, type ToolsetModel } from './models.ts';
import { carriesCredentials } from './shape.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];
const MODES = ['sse', 'streamable-http', 'stdio'];

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  (isMapping(value) && Object.keys(value).length === 0);

/** The models against which HolmesGPT validates a configuration. For some toolsets they depend on its content. */
function modelsFor(name: string, { configs }: ToolsetModel, config: Mapping): readonly string[] {
  if (name === 'prometheus/metrics') {
    const azure =
      /^(true|1)$/i.test(String(config.azure_use_managed_id ?? '')) ||
      ['azure_client_id', 'azure_tenant_id', 'azure_client_secret'].every((key) => !isEmpty(config[key]));
    return ['aws_region' in config ? 'AMPConfig' : azure ? 'AzurePrometheusConfig' : 'PrometheusConfig'];
  }
  if (name === 'confluence') {
    if (/^https?:\/\/[^/]*\.atlassian\.net/i.test(String(config.api_url ?? '')))
      return ['ConfluenceCloudConfig'];
    return [
      String(config.auth_type).toLowerCase() === 'bearer'
        ? 'ConfluenceDataCenterPATConfig'
        : 'ConfluenceDataCenterBasicConfig',
    ];
  }
  return configs;
}

/** Checks of the toolset itself, in addition to its model, that fail before it contacts the backend. */
function toolsetCheck(name: string, config: Mapping, path: Path): HolmesFault[] {
  switch (name) {
    case 'prometheus/metrics':
      return isEmpty(config.prometheus_url)
        ? [warning(path, 'has no prometheus_url, so HolmesGPT uses PROMETHEUS_URL, or looks for one itself')]
        : [];
    case 'kafka/admin':
      return isEmpty(config.clusters ?? config.kafka_clusters) ? [fault(path, 'has no clusters')] : [];
    case 'notion':
      return isEmpty(config.additional_headers) ? [fault(path, 'lacks additional_headers')] : [];
    default:
      return [];
  }
}

function checkOne(name: string, toolset: ToolsetModel, config: Mapping, path: Path): HolmesFault[] {
  const verdict = bestUnionBranch(
    modelsFor(name, toolset, config).map((model) => checkModel(model, config, path)),
  );
  return verdict.some(isFault) ? verdict : [...verdict, ...toolsetCheck(name, config, path)];
}

/** Checks each instance with the shared fields that it inherits. Of fields that belong together it inherits all or none. */
function checkInstances(name: string, toolset: ToolsetModel, config: Mapping, path: Path): HolmesFault[] {
  const { instances, ...shared } = config;
  if (isEmpty(instances)) return checkOne(name, toolset, shared, path);
  const list: Path = [...path, 'instances'];
  const secrets = Object.entries(shared)
    .filter(([field, value]) => carriesCredentials(field, value))
    .map(([field]) =>
      fault(
        [...path, field],
        'is set next to instances, so HolmesGPT sends it to each of them; write it into the instance that it is for',
      ),
    );
  if (!Array.isArray(instances)) return [fault(list, `must be a list, but is ${kindOf(instances)}`)];
  const seen = new Set<unknown>();
  const faults = instances.flatMap((instance, index): HolmesFault[] => {
    const here: Path = [...list, index];
    if (!isMapping(instance)) return [fault(here, notMapping(instance))];
    const { name: given, ...fields } = instance;
    if (isMapping(given) || Array.isArray(given))
      return [fault([...here, 'name'], `must be a string, but is ${kindOf(given)}`)];
    const called = isEmpty(given) ? `instance-${index}` : given;
    if (seen.has(called)) return [fault(here, `${String(called)} is the name of two instances`)];
    seen.add(called);
    const dropped = HOLMES.inheritedTogether.filter((group) => group.some((key) => key in fields)).flat();
    const inherited = Object.fromEntries(Object.entries(shared).filter(([key]) => !dropped.includes(key)));
    // An inherited field is above the list.
    return checkOne(name, toolset, { ...inherited, ...fields }, here).map((each) => {
      const key = each.path[here.length];
      const above = key !== undefined && !(key in fields) && key in inherited;
      return above ? { ...each, path: [...path, ...each.path.slice(here.length)] } : each;
    });
  });
  return [...new Map([...secrets, ...faults].map((each) => [JSON.stringify(each), each])).values()];
}

/** The faults in the configuration of a built-in toolset. */
export function checkBuiltInConfig(
  name: string,
  toolset: ToolsetModel,
  config: unknown,
  path: Path,
): HolmesFault[] {
  if (toolset.configs.length === 0)
    return isEmpty(config) ? [] : [warning(path, `${name} takes no configuration and ignores this`)];
  if (!isEmpty(config) && !isMapping(config)) return [fault(path, notMapping(config))];
  const given = mappingOf(config);
  if (name === 'rabbitmq/core' && isEmpty(given.clusters))
    return [warning(path, 'has no clusters, so HolmesGPT uses RABBITMQ_MANAGEMENT_URL')];
  if (isEmpty(given) && toolset.needsConfig)
    return [fault(path, `${name} does not work without a configuration`)];
  return toolset.instances
    ? checkInstances(name, toolset, given, path)
    : checkOne(name, toolset, given, path);
}

/** The faults in the configuration of an MCP server. Its `url` may also be next to `config`. */
export function checkServerConfig(entry: Mapping, path: Path): HolmesFault[] {
  const here: Path = [...path, 'config'];
  const { config: given, url } = entry;
  if (!isEmpty(given) && !isMapping(given)) return [fault(here, notMapping(given))];
  const moved = url === undefined || url === null ? [] : [warning([...path, 'url'], 'belongs below config')];
  const config: Mapping = { ...(moved.length === 0 ? {} : { url }), ...mappingOf(given) };
  if (isEmpty(config)) return [fault(path, 'lacks config')];
  const mode = config.mode ?? 'sse';
  if (!MODES.includes(String(mode))) return [fault([...here, 'mode'], notOneOf(MODES, mode))];
  if ('mode' in config && config.mode === null) return [fault([...here, 'mode'], 'must not be empty')];
  const faults = checkModel(mode === 'stdio' ? 'StdioMCPConfig' : 'MCPConfig', config, here);
  const isMoved = moved.length > 0 && !(isMapping(given) && 'url' in given);
  const asWritten = ({ path: at }: HolmesFault): Path =>
    isMoved && at[here.length] === 'url' ? [...path, ...at.slice(here.length)] : at;
  return [...moved, ...faults.map((each) => ({ ...each, path: asWritten(each) }))];
}

/** The faults in the configuration of an entry with `type: http`. */
export function checkHttpConfig(config: unknown, path: Path): HolmesFault[] {
  if (!isEmpty(config) && !isMapping(config)) return [fault(path, notMapping(config))];
  const content = mappingOf(config);
  const verdict = checkModel('HttpToolsetConfig', content, path);
  if (verdict.some(isFault)) return verdict;
  if (isEmpty(content.endpoints)) return [...verdict, fault(path, 'has no endpoints')];
  const endpoints = content.endpoints as readonly Mapping[];
  return endpoints.reduce((faults, { hosts, methods }, index) => {
    const here: Path = [...path, 'endpoints', index];
    const given: readonly unknown[] = Array.isArray(methods) ? methods : [];
    const wrong = given.findIndex((method) => !METHODS.includes(String(method).toUpperCase()));
    if (isEmpty(hosts)) faults.push(fault([...here, 'hosts'], 'names no host'));
    if (wrong >= 0) faults.push(fault([...here, 'methods', wrong], notOneOf(METHODS, given[wrong])));
    return faults;
  }, verdict);
}

/** The faults in the configuration of an entry whose type has one model. */
export function checkKindConfig(models: readonly string[], config: unknown, path: Path): HolmesFault[] {
  if (!isEmpty(config) && !isMapping(config)) return [fault(path, notMapping(config))];
  return bestUnionBranch(models.map((model) => checkModel(model, mappingOf(config), path)));
}
