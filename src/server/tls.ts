import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions, type TlsOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { watchFiles } from '../files/watch-files.ts';
import type { Problem } from '../model/discovery.ts';
import { ConfigError, UserError } from '../model/errors.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, then those that lead from it to its authority. */
  readonly cert: string;
  readonly key: string;
  /** Authorities of clients' certificates. Where they are given, a client without such a certificate is refused. */
  readonly clientCa: string | undefined;
}

/** For `https.createServer` at the start, and for `server.setSecureContext` later. */
export type ServerTls = TlsOptions & SecureContextOptions;

export interface TlsListener {
  /** What is to be used from now on. */
  readonly changed: (options: ServerTls) => void;
  /** What is wrong with the files; what was used before stays in use. Each is told once. */
  readonly failed: (problem: Problem) => void;
}

/** How often it is looked whether a certificate expired, in milliseconds. */
const EXPIRY_LOOK = 60 * 60_000;

/**
 * What all browsers and libraries of the last ten years can: forward secrecy and authenticated encryption.
 * @see https://wiki.mozilla.org/Security/Server_Side_TLS "Intermediate compatibility", without its DHE
 */
const MODERN: ServerTls = {
  minVersion: 'TLSv1.2',
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
};

/** What the files hold. */
interface Texts {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** Checked files. */
interface Loaded {
  readonly options: ServerTls;
  /** Certificates whose time matters, with the file each is from. */
  readonly certificates: readonly { readonly path: string; readonly certificate: X509Certificate }[];
}

const broken = (path: string, what: string, cause?: unknown): UserError =>
  new ConfigError(`TLS: ${path} ${what}`, { cause });

const said = (error: unknown): string => (error as Error).message.split('\n', 1)[0] ?? '';

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw broken(path, `cannot be read: ${said(error)}`, error);
  }
}

async function readTexts({ cert, key, clientCa }: TlsFiles): Promise<Texts> {
  const [certText, keyText, clientCaText] = await Promise.all([
    readText(cert),
    readText(key),
    clientCa === undefined ? undefined : readText(clientCa),
  ]);
  return { cert: certText, key: keyText, clientCa: clientCaText };
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function certificatesIn(text: string, path: string): X509Certificate[] {
  const blocks = text.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw broken(path, 'holds no certificate in PEM');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw broken(path, `holds a certificate that cannot be read: ${said(error)}`, error);
  }
}

function keyIn(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (error) {
    // OpenSSL's words for it help nobody, and none of the file may be shown.
    throw broken(path, 'holds no private key in PEM without a password', error);
  }
}

/** @throws UserError where they are of no use */
function load(texts: Texts, files: TlsFiles): Loaded {
  const [certificate] = certificatesIn(texts.cert, files.cert);
  const clientCas =
    texts.clientCa === undefined || files.clientCa === undefined
      ? []
      : certificatesIn(texts.clientCa, files.clientCa);
  if (certificate?.checkPrivateKey(keyIn(texts.key, files.key)) !== true)
    throw broken(files.key, `does not belong to the certificate in ${files.cert}; write both anew together`);
  const options: ServerTls = {
    ...MODERN,
    cert: texts.cert,
    key: texts.key,
    ...(texts.clientCa === undefined
      ? {}
      : { ca: texts.clientCa, requestCert: true, rejectUnauthorized: true }),
  };
  try {
    createSecureContext(options);
  } catch (error) {
    throw broken(files.cert, `cannot be used: ${said(error)}`, error);
  }
  return {
    options,
    certificates: [
      { path: files.cert, certificate },
      ...clientCas.map((each) => ({ path: files.clientCa ?? '', certificate: each })),
    ],
  };
}

/** Certificates that are not valid now: clients refuse them, or are refused. */
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

/**
 * Reads the files for a server with TLS, and again whenever they change, until the signal is aborted. That they are
 * links, which are led elsewhere as the kubelet does with Secrets, is no matter. A certificate that expired is used and
 * told.
 * @param now milliseconds since the epoch
 * @returns what to begin with
 * @throws UserError where the files are of no use
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

  const tellExpired = (): void => {
    const problems = validityProblems(loaded, now());
    for (const problem of problems)
      if (!expired.some((told) => isDeepStrictEqual(told, problem))) failed(problem);
    expired = problems;
  };
  const look = async (): Promise<void> => {
    try {
      const next = load(await readTexts(files), files);
      refused = undefined;
      if (signal.aborted || isDeepStrictEqual(next.options, loaded.options)) return;
      loaded = next;
      changed(next.options);
      tellExpired();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      if (error.message === refused || signal.aborted) return;
      refused = error.message;
      failed({
        where: 'TLS',
        what: error.message.replace(/^TLS: /, ''),
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
  const expiry = setInterval(tellExpired, EXPIRY_LOOK).unref();
  signal.addEventListener('abort', () => clearInterval(expiry), { once: true });
  tellExpired();
  // What changed since the first reading.
  notice();
  return loaded.options;
}
