import { type Certificates, certificateKeysOf } from '../model/certificates.ts';
import type { DiscoveredService, Problem } from '../model/discovery.ts';
import { displayKey } from '../model/key.ts';
import { idleKeyExplainer } from './idle-keys.ts';
import { backendReferences } from './override-keys.ts';
import type { ToolKind } from './tools.ts';

/**
 * Reports keys of the setting `certificates` that apply to no backend: only Services in use are probed, and only TLS uses
 * certificates. Pure.
 */
export function idleCertificates(
  certificates: Certificates,
  {
    found,
    kinds,
  }: { readonly found: readonly DiscoveredService[]; readonly kinds: ReadonlyMap<string, ToolKind> },
): readonly Problem[] {
  const given = Object.keys(certificates);
  if (given.length === 0) return [];
  const known = new Set(found.flatMap(certificateKeysOf));
  const secure = new Set(
    found.filter(({ endpoint }) => endpoint.scheme === 'https').flatMap(certificateKeysOf),
  );
  const whyIdle = idleKeyExplainer({ keys: [...known], kinds });
  return given.flatMap((key): Problem[] => {
    const where = `certificates ${key}`;
    if (secure.has(key)) return [];
    if (known.has(key))
      return [
        {
          where,
          what: 'applies to nothing now: such backends are reached without TLS',
          fix: 'remove it, unless they will use TLS',
        },
      ];
    const other = found.find((each) => backendReferences(each).includes(key));
    if (other === undefined) return [{ where, ...whyIdle(key) }];
    const used = displayKey(other.service);
    return [
      {
        where,
        what: `applies to nothing now: the entry point of its backend is ${used}, another Service`,
        fix: `write ${used}, if you mean that Service`,
      },
    ];
  });
}
