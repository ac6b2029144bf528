const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;
const IPV6 = /^[0-9a-fA-F:.]+$/;

/** Whether a text is an IPv4 or IPv6 address without a zone. Unlike `isIP`, it needs no Node.js module. */
export const isIpAddress = (text: string): boolean =>
  text.includes(':') ? IPV6.test(text) && URL.canParse(`http://[${text}]/`) : IPV4.test(text);
