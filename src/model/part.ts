/**
 * A *part* of a Service is one of its ports, with a product of its own. Its name is `SERVICE:PORT`, the Service's name and the
 * port's number, so it is distinct from its Service and from other parts everywhere. Kubernetes names have no colons, so nobody
 * can create a Service with the name of a part.
 */
const PORT = '(?:[1-9]\\d{0,3}|[1-5]\\d{4}|6[0-4]\\d{3}|65[0-4]\\d{2}|655[0-2]\\d|6553[0-5])';

/** The end of a regular expression for the name of a Service, after which it may be that of a part. */
export const MAYBE_PART = `(?::${PORT})?`;

/** The same for the name of its tool, which has no colon; no Service's name has an underscore. */
export const MAYBE_PART_OF_TOOL = `(?:_${PORT})?`;

const NAME = new RegExp(`^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?${MAYBE_PART}$`);

/** Whether a value is the name of a Service, or of a part of one. */
export const isServiceName = (value: unknown): value is string =>
  typeof value === 'string' && NAME.test(value);

interface Named {
  readonly name: string;
}

export const isPart = ({ name }: Named): boolean => name.includes(':');

export const partName = ({ name }: Named, port: number): string => `${name}:${port}`;

/** The port of a part; `undefined` for a whole Service. */
export const partPort = ({ name }: Named): number | undefined =>
  isPart({ name }) ? Number(name.slice(name.indexOf(':') + 1)) : undefined;

/** The name of the object: for a part, that of its Service. */
export const objectName = ({ name }: Named): string =>
  isPart({ name }) ? name.slice(0, name.indexOf(':')) : name;

/** The Service of a part, and any other Service itself. */
export const objectOf = <T extends Named>(service: T): T =>
  isPart(service) ? { ...service, name: objectName(service) } : service;
