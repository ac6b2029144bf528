import type { ApprovedKind } from '../../../model/overrides.ts';
import type { Service } from '../../../model/service.ts';
import { shellWord } from '../../../model/shell-word.ts';
import type { ExplainResult } from '../result.ts';
import { keyOf } from './overrides.ts';

/** The annotation with which an owner offers a Service, or keeps it out. */
const OFFER = 'kubernaut.io/toolset';
const PRODUCT = 'app.kubernetes.io/name';

/** The lines that change what `explain` read. */
export interface SourceChanges {
  /** Another command on the same input. */
  command(...words: readonly string[]): string;
  /** Lets a Service be found that its owner keeps out. */
  undoOffer(service: Service): string[];
  /** Names the product of a Service. */
  nameProduct(service: Service, product: string): string[];
  /** Offers a Service, and approves it. A known type needs no approval. */
  offer(service: Service, type?: string): string[];
  approve(service: Service, kind: ApprovedKind): string[];
}

/** Without a type that the program knows, and for an MCP server. */
const approvalOf = (service: Service, type: string | undefined, changes: SourceChanges): string[] =>
  type === undefined || type === 'mcp' ? changes.approve(service, type ?? 'custom') : [];

const inCluster: SourceChanges = {
  command: (...words) => ['dynamic-toolset', ...words].join(' '),
  undoOffer: ({ namespace, name }) => [`kubectl annotate service -n ${namespace} ${name} ${OFFER}-`],
  nameProduct: ({ namespace, name, labels }, product) => [
    `kubectl label service -n ${namespace} ${name} ${PRODUCT}=${product}${labels[PRODUCT] === undefined ? '' : ' --overwrite'}`,
  ],
  offer: (service, type) => [
    `kubectl annotate service -n ${service.namespace} ${service.name} ${OFFER}=true${type === undefined ? '' : ` ${OFFER}-type=${type}`}`,
    ...approvalOf(service, type, inCluster),
  ],
  approve: (service) => [`dynamic-toolset approve ${keyOf(service)}`],
};

const inManifest = (kind: 'labels' | 'annotations', ...entries: readonly string[]): string[] => [
  '# in its manifest:',
  'metadata:',
  `  ${kind}:`,
  ...entries.map((entry) => `    ${entry}`),
];

/** Commands that change a cluster would not change what another source reads. */
const inSource = (source: readonly string[]): SourceChanges => {
  const changes: SourceChanges = {
    command: (...words) => ['dynamic-toolset', ...words, ...source.map(shellWord)].join(' '),
    undoOffer: () => [`# in its manifest: remove the annotation ${OFFER}`],
    nameProduct: (_, product) => inManifest('labels', `${PRODUCT}: ${product}`),
    offer: (service, type) => [
      ...inManifest(
        'annotations',
        `${OFFER}: "true"`,
        ...(type === undefined ? [] : [`${OFFER}-type: ${type}`]),
      ),
      ...approvalOf(service, type, changes),
    ],
    approve: (service, kind) => [
      '# in overrides.yaml:',
      'tools:',
      `  ${keyOf(service)}:`,
      `    approved: ${kind}`,
    ],
  };
  return changes;
};

/** The changes of what a command read. @param source the words that choose it; `undefined`: the cluster */
export const changesOf = (source: ExplainResult['source']): SourceChanges =>
  source === undefined ? inCluster : inSource(source);
