import type { DetectorVerdict, Explanation } from '../../../detection/explain.ts';
import { chooseScheme } from '../../../detection/port.ts';
import { endpointUrl } from '../../../model/discovery.ts';
import type { Service } from '../../../model/service.ts';
import type { Advice } from './advice.ts';
import { withUrl } from './overrides.ts';
import type { SourceChanges } from './source-changes.ts';

/** The URL of a Service with its first port, which may be another one. */
function urlOf(service: Service): string {
  const { namespace, name, ports } = service;
  const [port = { port: 80, protocol: 'TCP' }] = ports;
  return `${chooseScheme(service, port).scheme}://${name}.${namespace}.svc.cluster.local:${port.port}`;
}

export const otherApi = (service: Service, changes: SourceChanges): Advice => ({
  what: 'If it is another HTTP API that the agent should use, its owner can offer it, and you approve it:',
  lines: changes.offer(service),
});

/** For a Service that is no backend, whatever the detectors find. */
export function keptOutAdvice({ service, external }: Explanation, changes: SourceChanges): Advice[] {
  const undo = changes.undoOffer(service);
  if (service.annotations['kubernaut.io/toolset'] !== undefined)
    return [{ what: 'To let the program find it:', lines: undo }];
  if (service.type !== 'ExternalName') return [];
  const url =
    external === undefined ? `http://${service.externalName ?? 'HOST'}` : endpointUrl(external.endpoint);
  return [
    {
      what: 'To publish only this one, in overrides.yaml:',
      lines: withUrl(service, external?.type ?? 'TYPE', url),
    },
  ];
}

/** For something beside a product: the type of the product would be wrong for it. */
const besideAdvice = (types: readonly string[], service: Service, changes: SourceChanges): Advice[] => [
  {
    what: `It looks like something beside ${types.join(' or ')}. To see the backends of its namespace:`,
    lines: [changes.command('discover', '-n', service.namespace)],
  },
  otherApi(service, changes),
];

/** For a part of a product, or a Service whose name says something else after that of a product. */
const partAdvice = (types: readonly string[], service: Service, changes: SourceChanges): Advice[] => {
  const [first, ...others] = types;
  const all = types.join(' or ');
  return [
    {
      what: `If it is a part of ${all}, to see the backends of its namespace:`,
      lines: [changes.command('discover', '-n', service.namespace)],
    },
    {
      what: `If queries go to it all the same, its owner can offer it:`,
      lines: changes.offer(service, others.length === 0 ? first : 'TYPE'),
    },
  ];
};

/** For a Service that no detector matches, by what the detectors say that nearly do. */
export function unmatchedAdvice(
  service: Service,
  detectors: readonly DetectorVerdict[],
  changes: SourceChanges,
): Advice[] {
  if (detectors.some(({ excluded }) => excluded !== undefined)) return [];
  const near = detectors.filter((each) => each.near);
  // As in the verdict: only its port is unknown.
  const known = near.find(({ fix }) => fix !== undefined);
  if (known !== undefined)
    return [
      {
        what: `If it is ${known.type} on another port, in overrides.yaml:`,
        lines: withUrl(service, known.type, urlOf(service)),
      },
    ];
  const typesOf = (some: readonly DetectorVerdict[]): string[] => some.map(({ type }) => type);
  const beside = typesOf(near.filter(({ isOther }) => isOther === true));
  if (beside.length > 0) return besideAdvice(beside, service, changes);
  if (near.length > 0) return partAdvice(typesOf(near), service, changes);
  return [
    {
      what: 'If it is a product that the program knows, name that, for example:',
      lines: changes.nameProduct(service, 'prometheus'),
    },
    otherApi(service, changes),
  ];
}
