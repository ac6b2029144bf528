import { ConfigError } from '../model/errors.ts';
import type { Settings } from './setting-table.ts';

/** Paths of the files for TLS. */
interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** The files for TLS. `undefined` without TLS. @throws ConfigError if one is missing */
export function tlsFiles({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: Settings): TlsPaths | undefined {
  if (tlsCertFile !== undefined && tlsKeyFile !== undefined)
    return { cert: tlsCertFile, key: tlsKeyFile, clientCa: tlsClientCaFile };
  if (tlsCertFile !== undefined || tlsKeyFile !== undefined)
    throw new ConfigError(
      'TLS needs a certificate and its key; set both TLS_CERT_FILE (--tls-cert-file) and TLS_KEY_FILE (--tls-key-file), or none',
    );
  // Not only a warning: the person who sets it expects that clients need a certificate.
  if (tlsClientCaFile !== undefined)
    throw new ConfigError(
      'TLS_CLIENT_CA_FILE (--tls-client-ca-file) needs TLS: also set TLS_CERT_FILE and TLS_KEY_FILE',
    );
  return undefined;
}
