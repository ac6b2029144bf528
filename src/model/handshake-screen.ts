import { oddityOf } from './ordinary-chain.ts';

/** Types of records. Source: RFC 5246, section 6.2.1. */
const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const APPLICATION_DATA = 23;
/** Types of messages: the one with the certificates, and the one that asks the client for its own. Source: RFC 5246, section 7.4. */
const CERTIFICATE = 11;
const CERTIFICATE_REQUEST = 13;

const RECORD_HEADER = 5;
const MESSAGE_HEADER = 4;
/** Bytes of the length of a certificate, and of all certificates. */
const LENGTH_BYTES = 3;

/** The certificates in the body of a message. `undefined` if it is malformed. */
function certificatesIn(body: Buffer): Buffer[] | undefined {
  if (body.length < LENGTH_BYTES || body.readUIntBE(0, LENGTH_BYTES) !== body.length - LENGTH_BYTES)
    return undefined;
  const certificates: Buffer[] = [];
  for (let at = LENGTH_BYTES; at < body.length; ) {
    if (at + LENGTH_BYTES > body.length) return undefined;
    const from = at + LENGTH_BYTES;
    at = from + body.readUIntBE(at, LENGTH_BYTES);
    if (at > body.length) return undefined;
    certificates.push(body.subarray(from, at));
  }
  return certificates;
}

/**
 * Reads the handshake of one side of a TLS 1.2 connection before OpenSSL does, and finds chains of certificates that
 * are not ordinary. TLS 1.3 encrypts certificates, so it must be disabled. The caller limits how much arrives. Linear time.
 */
export class HandshakeScreen {
  #records: Buffer = Buffer.alloc(0);
  #messages: Buffer = Buffer.alloc(0);
  #isOver = false;
  #hasCertificates = false;
  #asksForCertificate = false;
  /** All certificates so far, in DER. */
  readonly #chain: Buffer[] = [];
  readonly #mustHaveCertificates: boolean;
  readonly #keepsCertificates: boolean;

  /**
   * @param mustHaveCertificates whether this side must send certificates, as a server must
   * @param keepsCertificates whether to keep them when the handshake is over
   */
  constructor(mustHaveCertificates: boolean, keepsCertificates = false) {
    this.#mustHaveCertificates = mustHaveCertificates;
    this.#keepsCertificates = keepsCertificates;
  }

  /** The certificates that this side sent, in DER, in their order. */
  get certificates(): readonly Buffer[] {
    return this.#chain;
  }

  /** Whether this side asked the other one for a certificate. */
  get asksForCertificate(): boolean {
    return this.#asksForCertificate;
  }

  /**
   * Call it with all that arrives, in order, before OpenSSL reads it.
   * @returns why OpenSSL must not read it, as the rest of a sentence; `undefined` if it may
   */
  read(chunk: Buffer): string | undefined {
    if (this.#isOver) return undefined;
    this.#records = Buffer.concat([this.#records, chunk]);
    while (this.#records.length >= RECORD_HEADER) {
      const type = this.#records.readUInt8(0);
      if (type < CHANGE_CIPHER_SPEC || type > APPLICATION_DATA)
        return 'does not begin as TLS does (wrong version number)';
      if (type === CHANGE_CIPHER_SPEC) {
        if (this.#mustHaveCertificates && !this.#hasCertificates) return 'ends without a certificate';
        // What follows is encrypted.
        this.#isOver = true;
        if (!this.#keepsCertificates) this.#chain.length = 0;
        return undefined;
      }
      if (type === APPLICATION_DATA) return 'is not one of TLS 1.2';
      const end = RECORD_HEADER + this.#records.readUInt16BE(3);
      if (this.#records.length < end) return undefined;
      if (type === HANDSHAKE) {
        const fault = this.#readMessages(this.#records.subarray(RECORD_HEADER, end));
        if (fault !== undefined) return fault;
      }
      this.#records = this.#records.subarray(end);
    }
    return undefined;
  }

  #readMessages(fragment: Buffer): string | undefined {
    this.#messages = Buffer.concat([this.#messages, fragment]);
    while (this.#messages.length >= MESSAGE_HEADER) {
      const end = MESSAGE_HEADER + this.#messages.readUIntBE(1, LENGTH_BYTES);
      if (this.#messages.length < end) return undefined;
      const body = this.#messages.subarray(MESSAGE_HEADER, end);
      const type = this.#messages.readUInt8(0);
      if (type === CERTIFICATE_REQUEST) this.#asksForCertificate = true;
      if (type === CERTIFICATE) {
        this.#hasCertificates = true;
        const certificates = certificatesIn(body);
        if (certificates === undefined) return 'has a malformed list of certificates';
        this.#chain.push(...certificates.map((each) => Buffer.from(each)));
        // Thousands of empty lists fit into a handshake.
        const oddity = certificates.length === 0 ? undefined : oddityOf(this.#chain);
        if (oddity !== undefined) return oddity;
      }
      this.#messages = this.#messages.subarray(end);
    }
    return undefined;
  }
}
