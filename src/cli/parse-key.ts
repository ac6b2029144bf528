import { ConfigError } from '../model/errors.ts';

/** Parses `namespace/name` of a Service. @throws UserError */
export function parseKey(text: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = '', ...rest] = text.replace(/^(services?|svc)\//, '').split('/');
  if (namespace === '' || name === '' || rest.length > 0) {
    // The default name of a tool.
    const [, service, place] = /^([a-z0-9-]+)\.([a-z0-9-]+)$/.exec(text) ?? [];
    const hint =
      service === undefined
        ? 'for example monitoring/prometheus-server'
        : `here probably ${place}/${service}`;
    throw new ConfigError(`"${text}" names no Service; write <namespace>/<service>, ${hint}`);
  }
  return { namespace, name };
}
