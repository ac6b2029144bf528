import type { Fault } from './yaml-text.ts';

/** Why a file is in `binaryData` and cannot be read, and what to do. */
const NOT_UTF8 =
  'this is not UTF-8, so Kubernetes keeps the file in binaryData; save it as UTF-8, and apply it again; a patch of data must also set its key in binaryData to null';

/** A YAML document of nothing but bytes. No reader of ours accepts one, so it is invalid wherever a text is expected. */
const BYTES = /^!!binary "([A-Za-z0-9+/=]*)"\n$/;

/**
 * The text of a key in `binaryData`: the decoded text if it is UTF-8. Otherwise a text that `binaryIn` recognizes and that
 * keeps all bytes, so that what a person wrote is neither ignored nor lost.
 * @param base64 the value in `binaryData`
 */
export function textOfBinary(base64: string): string {
  try {
    // A text in `data` keeps its byte order mark, too.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    return `!!binary "${Buffer.from(base64, 'base64').toString('base64')}"\n`;
  }
}

/** The base64 that a text from `textOfBinary` stands for; `undefined` for any other text. */
export const binaryIn = (text: string): string | undefined => BYTES.exec(text)?.[1];

/** The position of the first byte that is not UTF-8, with what to do; `undefined` if the text can be read. */
export function encodingFault(text: string): Fault | undefined {
  const base64 = binaryIn(text);
  if (base64 === undefined) return undefined;
  const lines = Buffer.from(base64, 'base64').toString().split('\n');
  const broken = lines.findIndex((line) => line.includes('\uFFFD'));
  return {
    line: Math.max(0, broken) + 1,
    column: Math.max(0, lines[broken]?.indexOf('\uFFFD') ?? 0) + 1,
    message: NOT_UTF8,
  };
}

/** The texts of all keys of a ConfigMap, wherever they are. */
export const textsOf = ({
  data = {},
  binaryData = {},
}: {
  readonly data?: Readonly<Record<string, string>>;
  readonly binaryData?: Readonly<Record<string, string>>;
}): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(binaryData).map(([key, base64]) => [key, textOfBinary(base64)])),
  ...data,
});
