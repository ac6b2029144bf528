/** A DNS label, such as the name of a namespace or Service, RFC 1123. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
