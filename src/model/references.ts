/** How an object or key before a colon is referred to: `sure` only in our own messages, `likely` mostly there. */
export type Reference = 'sure' | 'likely';

/** Maximum characters before a name that decide: two labels, their slashes, and words such as `overrides.yaml, tool`. */
const MAX_BEFORE = 300;

/** `NAMESPACE/` or `CLUSTER/NAMESPACE/`. Labels have no dot, so keys such as `example.com/token` do not match. */
const NAMESPACE = '(?:[a-z0-9][a-z0-9-]{0,62}/){1,2}';
const KEYS = '(?:holmesgpt\\.)?(?:tools?|toolsets|mcp_servers|backends)';
const NAMES = `(?:[\\w./-]{1,128}, ){0,9}[\\w./-]{0,128}`;

const SURE = new RegExp(
  `(?:^|[\\s("'])(?:(?:Service|ConfigMap|Deployment|credentials|tenants|certificates|backends) ${NAMESPACE}|(?:(?:overrides|custom_toolset)\\.yaml|ConfigMap [\\w./-]{1,128}), ${KEYS} ${NAMES})$`,
);
const LIKELY = new RegExp(
  `(?:^|[\\s("'\`,;])(?:${NAMESPACE}|(?:Service|tools?|toolsets?|namespace|credentials|tenants|certificates|backends) [\\w./-]{0,128})$`,
);
/** A key of a configuration file, after its position there. */
const AFTER_POSITION = /\d:\d{1,7}: $/;
const FILE_KEY = /^(?:credentials|tenants|certificates)\.[\w./-]{1,128}: /;

/**
 * Recognizes the name of an object or key in a message of ours, such as `Service shop/api-token: `,
 * `overrides.yaml, tool api-token.shop: `, or after a position in a file, `config.yaml:2:3: credentials.shop: `. Others choose
 * these names, and they say nothing about what follows.
 * @param index the position of the last word of the name
 */
export function referenceAt(text: string, index: number): Reference | undefined {
  const before = text.slice(Math.max(0, index - MAX_BEFORE), index);
  // Only where a name can follow; this is also the quick answer for most texts.
  if (!/[\s/]$/.test(before)) return undefined;
  if (SURE.test(before)) return 'sure';
  if (AFTER_POSITION.test(before) && FILE_KEY.test(text.slice(index, index + MAX_BEFORE))) return 'likely';
  return LIKELY.test(before) ? 'likely' : undefined;
}

/**
 * The end of what may be a secret after a `likely` reference: all of a lone word, and a first word that is not a plain one.
 * After a plain word, a sentence goes on.
 */
export function loneWordEnd(text: string, start: number): number | undefined {
  const [word = ''] = /^[^\s"`]{1,4096}/.exec(text.slice(start, start + 4096)) ?? [];
  const isSentence =
    /^[A-Za-z][a-z'’-]*[,;]?$|^[A-Z]{2,8}$/.test(word) &&
    /^ \S/.test(text.slice(start + word.length, start + word.length + 2));
  return isSentence ? undefined : start + word.length;
}
