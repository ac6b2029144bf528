import { constants, type X509Certificate } from 'node:crypto';
import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { certificatesIn, PemError, privateKeyIn } from '../files/pem.ts';
import { readText } from '../files/read-text.ts';
import { watchFiles } from '../files/watch-files.ts';
import type { Problem } from '../model/discovery.ts';
import { ConfigError, UserError } from '../model/errors.ts';
import { unreadable } from '../model/unreadable.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, then the intermediate certificates. */
  readonly cert: string;
  readonly key: string;
  /** Certificate authorities of clients. If set, a client without such a certificate is rejected. */
  readonly clientCa: string | undefined;
}

/** For `https.createServer` at the start, and for `server.setSecureContext` later. */
export type ServerTls = TlsOptions & SecureContextOptions;

export interface TlsListener {
  /** Called with the new options. */
  readonly changed: (options: ServerTls) => void;
  /** Called once for each problem with the files. The previous options stay in use. */
  readonly failed: (problem: Problem) => void;
}

/** Interval between checks for expired certificates, in milliseconds. */
const EXPIRY_CHECK_INTERVAL = 60 * 60_000;

/**
 * Settings that all browsers and libraries of the last ten years support, with forward secrecy and authenticated encryption.
 * Clients cannot renegotiate, which could bring new certificates, and choose among cheap groups: a handshake with P-521 takes
 * four times as long as with X25519.
 * @see https://wiki.mozilla.org/Security/Server_Side_TLS "Intermediate compatibility", without DHE
 */
const MODERN: ServerTls = {
  minVersion: 'TLSv1.2',
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'TLS_AES_128_GCM_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
  honorCipherOrder: true,
  ecdhCurve: ['X25519MLKEM768', 'X25519', 'P-256', 'P-384'].join(':'),
};

/** The content of the files. */
interface Texts {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** Validated files. */
interface Loaded {
  readonly options: ServerTls;
  /** Certificates with an expiry to check, and the file of each. */
  readonly certificates: readonly { readonly path: string; readonly certificate: X509Certificate }[];
}

const broken = (path: string, what: string, cause?: unknown): UserError =>
  new ConfigError(`TLS: ${path} ${what}`, { cause });

const firstLine = (error: unknown): string => (error as Error).message.replace(/\n.*/s, '');

/** Maximum size of a file, in bytes: hundreds of certificates. */
const MAX_BYTES = 1024 * 1024;

/** The setting that names each file. */
const NAMED_BY: Readonly<Record<keyof TlsFiles, string>> = {
  cert: 'TLS_CERT_FILE (--tls-cert-file)',
  key: 'TLS_KEY_FILE (--tls-key-file)',
  clientCa: 'TLS_CLIENT_CA_FILE (--tls-client-ca-file)',
};

/** @throws UserError that names each file that cannot be read, and its setting */
async function readTexts(files: TlsFiles): Promise<Texts> {
  const faults: string[] = [];
  const read = async (which: keyof TlsFiles): Promise<string> => {
    const path = files[which];
    try {
      return path === undefined ? '' : await readText(path, MAX_BYTES);
    } catch (error) {
      faults.push(`TLS: ${path} cannot be read: ${unreadable(error)}; correct ${NAMED_BY[which]}`);
      return '';
    }
  };
  const [cert, key, clientCa] = await Promise.all([read('cert'), read('key'), read('clientCa')]);
  if (faults.length > 0) throw new ConfigError(faults.sort().join('\n'));
  return { cert, key, clientCa: files.clientCa === undefined ? undefined : clientCa };
}

/** Reads the PEM in a file. @throws UserError that names the file */
function pemIn<T>(read: (text: string) => T, text: string, path: string): T {
  try {
    return read(text);
  } catch (error) {
    if (!(error instanceof PemError)) throw error;
    throw broken(path, error.message, error);
  }
}

/** @throws UserError if they are invalid */
function load(texts: Texts, files: TlsFiles): Loaded {
  const { clientCa: clientCaPath = '' } = files;
  const [certificate] = pemIn(certificatesIn, texts.cert, files.cert);
  const clientCas = texts.clientCa === undefined ? [] : pemIn(certificatesIn, texts.clientCa, clientCaPath);
  if (certificate?.checkPrivateKey(pemIn(privateKeyIn, texts.key, files.key)) !== true)
    throw broken(files.key, `does not belong to the certificate in ${files.cert}; replace both together`);
  const options: ServerTls = {
    ...MODERN,
    cert: texts.cert,
    key: texts.key,
    ...(texts.clientCa === undefined
      ? {}
      : { ca: texts.clientCa, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' as const }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw broken(files.cert, `cannot be used: ${firstLine(error)}`, error);
  }
  return {
    options,
    certificates: [
      { path: files.cert, certificate },
      ...clientCas.map((each) => ({ path: clientCaPath, certificate: each })),
    ],
  };
}

/** Problems with certificates that are not valid now, which clients would reject, or which reject clients. */
function validityProblems({ certificates }: Loaded, now: number): Problem[] {
  return certificates.flatMap(({ path, certificate: { validFromDate, validToDate } }) => {
    const where = `TLS: ${path}`;
    const fix = 'renew it; a changed file is used without a restart';
    if (validToDate.getTime() < now)
      return [{ where, what: `the certificate expired at ${validToDate.toISOString()}`, fix }];
    if (validFromDate.getTime() > now)
      return [{ where, what: `the certificate is not valid before ${validFromDate.toISOString()}`, fix }];
    return [];
  });
}

/** Time for the requests of clients whose authority is no longer accepted, in milliseconds. */
const LAST_REQUESTS_MS = 3_000;

/**
 * Replaces the certificate and the authorities of a server. If the authorities change, connections from before are closed,
 * because their clients may no longer be accepted; clients that still are connect again.
 */
export function replaceTls(
  server: Pick<Server, 'setSecureContext' | 'closeIdleConnections' | 'closeAllConnections'>,
  before: ServerTls,
  next: ServerTls,
): void {
  server.setSecureContext(next);
  if (isDeepStrictEqual(before.ca, next.ca)) return;
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), LAST_REQUESTS_MS).unref();
}

/**
 * Loads the files for a server with TLS, and again after each change, until the signal is aborted. Follows symlink swaps, as
 * the kubelet does for mounted Secrets. An expired certificate is used and reported.
 * @param now milliseconds since the epoch
 * @returns the initial options
 * @throws UserError if the files are invalid
 */
export async function openTls(
  files: TlsFiles,
  { changed, failed }: TlsListener,
  signal: AbortSignal,
  now: () => number = Date.now,
  watch: typeof watchFiles = watchFiles,
): Promise<ServerTls> {
  let loaded = load(await readTexts(files), files);
  let refused: string | undefined;
  let expired: readonly Problem[] = [];

  const reportExpired = (): void => {
    const problems = validityProblems(loaded, now());
    for (const problem of problems)
      if (!expired.some((known) => isDeepStrictEqual(known, problem))) failed(problem);
    expired = problems;
  };
  const look = async (): Promise<void> => {
    try {
      const next = load(await readTexts(files), files);
      refused = undefined;
      if (signal.aborted || isDeepStrictEqual(next.options, loaded.options)) return;
      loaded = next;
      changed(next.options);
      reportExpired();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error.message === refused || signal.aborted) return;
      refused = error.message;
      failed({
        where: 'TLS',
        what: error.message.replace(/^TLS: /gm, '').replaceAll('\n', ', and '),
        fix: 'the previous certificate stays in use',
      });
    }
  };

  let looking: Promise<void> = Promise.resolve();
  if (signal.aborted) return loaded.options;
  const paths = [files.cert, files.key, files.clientCa].filter((path) => path !== undefined);
  const notice = watch(
    { files: paths },
    () => {
      looking = looking.then(look);
      return looking;
    },
    signal,
  );
  const expiry = setInterval(reportExpired, EXPIRY_CHECK_INTERVAL).unref();
  signal.addEventListener('abort', () => clearInterval(expiry), { once: true });
  reportExpired();
  // Reports changes since the first read.
  notice();
  return loaded.options;
}
