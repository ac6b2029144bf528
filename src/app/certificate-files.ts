import { isDeepStrictEqual } from 'node:util';
import { watchFiles } from '../files/watch-files.ts';
import { type Certificates, certificateKeyOf, isOwnAddress } from '../model/certificates.ts';
import { type Candidate, type Problem, problemLine } from '../model/discovery.ts';
import {
  type Authorities,
  type ClientCertificate,
  createProbeContext,
  type ProbeTls,
} from '../probing/tls.ts';
import { type CertificateContents, NO_CONTENTS, pathsOf, readCertificates } from './read-certificates.ts';

export interface CertificateOptions {
  readonly certificates: Certificates;
  readonly clusterDomain: string;
}

export interface CertificateListener {
  /** Called when probes use other files than before. */
  readonly changed: () => void;
  /** Called once for each problem while it lasts. */
  readonly failed: (problem: Problem) => void;
}

/**
 * The files of the setting `certificates`. They are read again when they change, also by a swap of symbolic links, as the
 * kubelet does for mounted Secrets. What is wrong with a file is a problem, and its last content stays in use.
 */
export class CertificateFiles {
  readonly #certificates: Certificates;
  readonly #clusterDomain: string;
  #contents: CertificateContents;
  /** Those with a client certificate, by key. A context is made when the first backend needs it. */
  readonly #own = new Map<string, ProbeTls>();
  /** Those without one, which keys share. */
  readonly #shared = new WeakMap<Authorities, ProbeTls>();
  /** The problems that were reported last. */
  #reported: ReadonlySet<string>;

  /** @param before the files of the previous configuration, whose content stays where the same key names the same files */
  constructor({ certificates, clusterDomain }: CertificateOptions, before?: CertificateFiles) {
    this.#certificates = certificates;
    this.#clusterDomain = clusterDomain;
    this.#contents = before?.contentsFor(certificates) ?? NO_CONTENTS;
    this.#reported = before === undefined ? new Set() : before.#reported;
  }

  /** What was read for keys that are the same in other settings. */
  contentsFor(certificates: Certificates): CertificateContents {
    const { authorities, clients } = this.#contents;
    return {
      authorities,
      clients: new Map(
        [...clients].filter(([key]) => isDeepStrictEqual(certificates[key], this.#certificates[key])),
      ),
      problems: [],
    };
  }

  /** What is wrong with the files. */
  get problems(): readonly Problem[] {
    return this.#contents.problems;
  }

  /** Reads the files. @returns whether probes use others than before */
  async load(): Promise<boolean> {
    const before = this.#contents;
    this.#contents = await readCertificates(this.#certificates, before);
    const { authorities, clients } = this.#contents;
    // Contents that did not change are the same objects.
    const isSame =
      isDeepStrictEqual(authorities, before.authorities) && isDeepStrictEqual(clients, before.clients);
    if (isSame) return false;
    this.#own.clear();
    return true;
  }

  /** Reads the files again after each change, until the signal is aborted. */
  watch({ changed, failed }: CertificateListener, signal: AbortSignal, watch = watchFiles): void {
    const files = pathsOf(this.#certificates);
    if (files.length === 0) return;
    let loading = Promise.resolve();
    const notice = watch(
      { files },
      () => {
        loading = loading.then(async () => {
          const isOther = await this.load();
          if (signal.aborted) return;
          this.#report(failed);
          if (isOther) changed();
        });
      },
      signal,
    );
    this.#report(failed);
    // Finds changes since the first read.
    notice();
  }

  #report(failed: (problem: Problem) => void): void {
    for (const problem of this.problems) if (!this.#reported.has(problemLine(problem))) failed(problem);
    this.#reported = new Set(this.problems.map(problemLine));
  }

  /** What probes of a candidate use for TLS. `undefined` if nothing is configured for it, or the files cannot be read. */
  readonly tlsFor = (candidate: Candidate): ProbeTls | undefined => {
    const key = certificateKeyOf(this.#certificates, candidate);
    if (key === undefined) return undefined;
    const { authorities, clients } = this.#contents;
    const own = authorities.get(this.#certificates[key]?.caFile ?? '');
    const client = clients.get(key);
    if (client === undefined) return this.#withoutClient(own);
    return isOwnAddress(candidate, this.#clusterDomain)
      ? this.#withClient(key, own, client)
      : { ...this.#withoutClient(own), isWithheld: true };
  };

  #withoutClient(authorities: Authorities | undefined): ProbeTls | undefined {
    if (authorities === undefined) return undefined;
    const known = this.#shared.get(authorities);
    if (known !== undefined) return known;
    const made = { context: createProbeContext(authorities, undefined), authorities };
    this.#shared.set(authorities, made);
    return made;
  }

  #withClient(key: string, authorities: Authorities | undefined, client: ClientCertificate): ProbeTls {
    const known = this.#own.get(key);
    if (known !== undefined) return known;
    const made = {
      context: createProbeContext(authorities, client),
      authorities,
      clientFile: client.file,
    };
    this.#own.set(key, made);
    return made;
  }
}
