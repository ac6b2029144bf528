import { isMapping } from '../../model/mapping.ts';
import { addressedService } from '../../model/overrides.ts';
import { own } from './yaml.ts';

/** The URL of an MCP server's entry; `undefined` for a program that HolmesGPT starts itself. */
export function serverUrl(entry: unknown): string | undefined {
  if (!isMapping(entry)) return undefined;
  const url = own(entry.config, 'url') ?? own(entry, 'url');
  return typeof url === 'string' ? url : undefined;
}

/** The host of the Service that the key `NAMESPACE/SERVICE` of an entry names. */
export function serviceOfKey(key: string): string | undefined {
  const address = key.includes('/') ? addressedService(key) : undefined;
  return address === undefined ? undefined : `${address.name}.${address.namespace}.svc`;
}

/** The command of an MCP server's entry that HolmesGPT starts itself as a program, as one text. */
export function programOf(entry: unknown): string | undefined {
  const config = isMapping(entry) ? entry.config : undefined;
  const command = own(config, 'command');
  return typeof command === 'string' ? JSON.stringify([command, own(config, 'args') ?? []]) : undefined;
}
