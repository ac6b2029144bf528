/** The port of a URL, which the URL parser refuses as a whole if it is too large. */
const PORT = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*:(\d+)(?:[/?#]|$)/i;

/** The fault of a text that is no URL because of its port. `undefined` for other texts. It continues a line. */
export const portFault = (text: string): string | undefined =>
  Number(PORT.exec(text)?.[1] ?? 0) > 65_535
    ? 'has a port that is out of range; ports are from 1 to 65535'
    : undefined;
