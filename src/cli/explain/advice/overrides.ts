import type { Service } from '../../../model/service.ts';

export const keyOf = ({ namespace, name }: Service): string => `${namespace}/${name}`;

/** The part of `overrides.yaml` that gives a tool its URL. */
export const withUrl = (service: Service, type: string | undefined, url: string): string[] => [
  'tools:',
  `  ${keyOf(service)}:`,
  ...(type === undefined ? [] : [`    type: ${type}`]),
  `    endpoint: ${JSON.stringify(url)}`,
];
