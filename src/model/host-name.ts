const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Maximum length of a host name without a dot at its end (RFC 1035). */
const MAX_LENGTH = 253;

/**
 * Whether the host of a parsed URL, without a dot at its end, is a host name or an address. The URL parser also accepts
 * hosts with empty labels or with `*` and other characters that agents read as patterns. Underscores are in use, so they
 * are allowed.
 * @param host in lower case, as `URL` returns it: an international name in Punycode, an IPv6 address in brackets
 */
export const isHost = (host: string): boolean =>
  host.startsWith('[') || (host.length <= MAX_LENGTH && host.split('.').every((label) => LABEL.test(label)));
