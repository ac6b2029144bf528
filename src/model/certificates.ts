import * as z from 'zod';
import { backendKey } from './backend-key.ts';
import type { Candidate } from './discovery.ts';
import { HOME_CLUSTER } from './key.ts';
import { objectName } from './part.ts';

/** Maximum keys. Each may need a copy of all authorities of the system, about 1 MiB. */
const MAX_KEYS = 50;

/** The path of a file. Whoever writes the content instead must not see it again in a message. */
const path = z
  .string()
  .min(1)
  .max(4096)
  .regex(
    /^(?!\s*-----BEGIN)[^\p{Cc}]*$/u,
    'is not the path of a file; mount the file, and write where it is',
  );

const files = z
  .strictObject({
    /** Certificate authorities, in addition to those of the system. */
    caFile: path.optional(),
    /** The certificate of the client, then the intermediate certificates. */
    clientCertificateFile: path.optional(),
    clientKeyFile: path.optional(),
  })
  .refine((given) => Object.keys(given).length > 0, 'names no file')
  .refine(
    ({ clientCertificateFile: certificate, clientKeyFile: key }) =>
      (certificate === undefined) === (key === undefined),
    'has one of clientCertificateFile and clientKeyFile without the other',
  );

/**
 * The files with which probes use TLS: by type, by `namespace/*`, or by `namespace/service`. Only Kubernetes says what a
 * Service is called, and anyone can make theirs look like one of a type, so a type has no client certificate.
 */
export const certificatesByBackend = z.record(backendKey, files).superRefine((byBackend, context) => {
  const keys = Object.keys(byBackend);
  if (keys.length > MAX_KEYS)
    context.addIssue({
      code: 'custom',
      message: `has ${keys.length} keys, and at most ${MAX_KEYS} are allowed; write a type or NAMESPACE/* for several`,
    });
  for (const [key, { clientCertificateFile }] of Object.entries(byBackend))
    if (!key.includes('/') && clientCertificateFile !== undefined)
      context.addIssue({
        code: 'custom',
        path: [key, 'clientCertificateFile'],
        message: `is for a type, and anyone can have a Service of this type; write it under NAMESPACE/SERVICE or NAMESPACE/* instead of ${key}`,
      });
});

export type CertificatePaths = z.infer<typeof files>;

/** Paths of files by the key that addresses their backends. */
export type Certificates = Readonly<Record<string, CertificatePaths>>;

/** The keys that address a Service, the most specific first. They name no cluster. */
export function certificateKeysOf({
  service: { cluster, namespace, name },
  detector,
}: Pick<Candidate, 'service' | 'detector'>): readonly string[] {
  return cluster === HOME_CLUSTER ? [`${namespace}/${name}`, `${namespace}/*`, detector] : [detector];
}

/** The most specific key for a Service. It counts as a whole. */
export const certificateKeyOf = (
  certificates: Certificates,
  candidate: Pick<Candidate, 'service' | 'detector'>,
): string | undefined => certificateKeysOf(candidate).find((key) => Object.hasOwn(certificates, key));

/**
 * Whether a client certificate may be presented at the address of a Service. It is paired with the Service or its namespace,
 * and the owner of a Service can lead it to other hosts.
 */
export const isOwnAddress = (
  { service, endpoint }: Pick<Candidate, 'service' | 'endpoint'>,
  clusterDomain: string,
): boolean =>
  service.cluster === HOME_CLUSTER &&
  service.type !== 'ExternalName' &&
  endpoint.host === `${objectName(service)}.${service.namespace}.svc.${clusterDomain}`;
