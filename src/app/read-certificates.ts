import { createSecureContext, getCACertificates } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { certificatesIn, PemError, privateKeyIn } from '../files/pem.ts';
import { readRegularFile } from '../files/read-text.ts';
import type { Certificates } from '../model/certificates.ts';
import type { Problem } from '../model/discovery.ts';
import { unreadable } from '../model/unreadable.ts';
import type { Authorities, ClientCertificate } from '../probing/tls.ts';

/** Maximum size of a file, in bytes. The authorities of a Linux distribution have less than half of that. */
const MAX_BYTES = 1024 * 1024;

/** Maximum authorities in a file beside those of the system. Each takes about 7 KiB in each context. */
const MAX_AUTHORITIES = 200;

/** The content of all files that could be read, and what is wrong with the others. */
export interface CertificateContents {
  /** By path. */
  readonly authorities: ReadonlyMap<string, Authorities>;
  /** By key. */
  readonly clients: ReadonlyMap<string, ClientCertificate>;
  readonly problems: readonly Problem[];
}

export const NO_CONTENTS: CertificateContents = { authorities: new Map(), clients: new Map(), problems: [] };

/** Reads a file. @throws Error with a message that goes on after the path */
async function read(file: string): Promise<string> {
  try {
    return await readRegularFile(file, MAX_BYTES);
  } catch (error) {
    throw new PemError(`cannot be read: ${unreadable(error)}`, { cause: error });
  }
}

async function readAuthorities(file: string): Promise<Authorities> {
  const all = certificatesIn(await read(file));
  const own = new Map(all.map((each) => [each.toString().trim(), each]));
  for (const pem of getCACertificates('default')) own.delete(pem.trim());
  if (own.size > MAX_AUTHORITIES)
    throw new PemError(
      `holds ${own.size} certificates beside those of the system, and at most ${MAX_AUTHORITIES} are allowed`,
    );
  return { file, certificates: [...own.keys()], parsed: [...own.values()] };
}

/** Reads a certificate and its key. @throws PemError with the path of the file that is wrong */
async function readClient(certificateFile: string, keyFile: string): Promise<ClientCertificate> {
  const at = async <T>(file: string, parse: (text: string) => T): Promise<T> => {
    try {
      return parse(await read(file));
    } catch (error) {
      if (!(error instanceof PemError)) throw error;
      throw new PemError(`${file} ${error.message}`, { cause: error });
    }
  };
  const cert = await at(certificateFile, (text) => ({ text, first: certificatesIn(text)[0] }));
  const key = await at(keyFile, (text) => ({ text, parsed: privateKeyIn(text) }));
  if (cert.first?.checkPrivateKey(key.parsed) !== true)
    throw new PemError(`${keyFile} does not belong to the certificate in ${certificateFile}`);
  try {
    createSecureContext({ cert: cert.text, key: key.text });
  } catch (error) {
    throw new PemError(`${certificateFile} cannot be used: ${(error as Error).message.split('\n')[0]}`, {
      cause: error,
    });
  }
  return { file: certificateFile, certificate: cert.text, key: key.text };
}

/** The content of a file or pair, and what is wrong with it now. */
type Reading<T> = Promise<{ readonly content: T | undefined; readonly fault?: string }>;

/**
 * Reads one file or pair.
 * @param before the previous content
 * @param essence what must be equal for the same content
 * @returns the previous content if it is the same, so that what was made of it can stay in use, or if the new one is wrong
 */
async function attempt<T>(
  reading: Promise<T>,
  before: T | undefined,
  essence: (content: T) => readonly string[],
): Reading<T> {
  try {
    const next = await reading;
    const isSame = before !== undefined && isDeepStrictEqual(essence(next), essence(before));
    return { content: isSame ? before : next };
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    return { content: before, fault: error.message };
  }
}

const readCa = (file: string, before: Authorities | undefined): Reading<Authorities> =>
  attempt(readAuthorities(file), before, ({ certificates }) => certificates);

const readPair = (
  certificateFile: string,
  keyFile: string,
  before: ClientCertificate | undefined,
): Reading<ClientCertificate> =>
  attempt(readClient(certificateFile, keyFile), before, ({ certificate, key }) => [certificate, key]);

/** What a key says where a file is wrong. */
function problemOf(key: string, what: string, fix: string, hasContent: boolean): Problem {
  const until = hasContent ? 'its last content stays in use until then' : 'probes do without it until then';
  return { where: `certificates ${key}`, what, fix: `${fix}; ${until}` };
}

/**
 * Reads all files of the setting `certificates`. Where a file is wrong, what was read before stays.
 * @param before what was read before, with the same paths under the same keys
 */
export async function readCertificates(
  certificates: Certificates,
  before: CertificateContents,
): Promise<CertificateContents> {
  const authorities = new Map<string, Authorities>();
  const clients = new Map<string, ClientCertificate>();
  const problems: Problem[] = [];
  const readings = new Map<string, Reading<Authorities>>();
  for (const [key, { caFile, clientCertificateFile, clientKeyFile }] of Object.entries(certificates)) {
    if (caFile !== undefined) {
      const reading = readings.get(caFile) ?? readCa(caFile, before.authorities.get(caFile));
      readings.set(caFile, reading);
      const { content, fault } = await reading;
      if (content !== undefined) authorities.set(caFile, content);
      if (fault !== undefined)
        problems.push(
          problemOf(key, `${caFile} ${fault}`, 'mount it, or correct caFile', content !== undefined),
        );
    }
    if (clientCertificateFile === undefined || clientKeyFile === undefined) continue;
    const { content, fault } = await readPair(clientCertificateFile, clientKeyFile, before.clients.get(key));
    if (content !== undefined) clients.set(key, content);
    if (fault !== undefined)
      problems.push(
        problemOf(
          key,
          fault,
          'mount both, or correct clientCertificateFile and clientKeyFile',
          content !== undefined,
        ),
      );
  }
  return { authorities, clients, problems };
}

/** The paths of all files, each once. */
export const pathsOf = (certificates: Certificates): readonly string[] => [
  ...new Set(
    Object.values(certificates)
      .flatMap(({ caFile, clientCertificateFile, clientKeyFile }) => [
        caFile,
        clientCertificateFile,
        clientKeyFile,
      ])
      .filter((path) => path !== undefined),
  ),
];
