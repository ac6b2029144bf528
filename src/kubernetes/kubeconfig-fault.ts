import type { Cluster, User } from '@kubernetes/client-node/dist/config_types.js';
import { exportCluster, exportUser } from '@kubernetes/client-node/dist/config_types.js';
import * as z from 'zod';
import { portFault } from '../model/port-fault.ts';
import { issueMessage } from '../model/schema-words.ts';
import { pathText, shown } from '../model/visible.ts';

const text = z.string().nullish();

/** An unquoted password may be a number, as it always could. */
const textOrNumber = z.union([z.string(), z.number()]).nullish();

const urlFault =
  (what: string) =>
  ({ input }: { readonly input?: unknown }): string =>
    portFault(String(input)) ?? what;

const isUrl = (protocols: RegExp) => (value: string) => {
  const url = URL.parse(value);
  return url !== null && protocols.test(url.protocol) && url.hostname !== '';
};

const clusterSchema = z.object({
  server: z.string().refine(isUrl(/^https?:$/), {
    error: urlFault('is not a URL with http or https and a host, such as https://10.0.0.1:6443'),
  }),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'tls-server-name': text,
  'proxy-url': z
    .string()
    .refine((value) => value === '' || isUrl(/^(https?|socks\w*):$/)(value), {
      error: urlFault('is not a URL with http, https or socks5 and a host'),
    })
    .nullish(),
});

/** A value of an HTTP header. @see https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
const headerValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'has a line break or another character that no HTTP header may have');

const userSchema = z.object({
  token: headerValue.nullish(),
  as: headerValue.nullish(),
  username: textOrNumber,
  password: textOrNumber,
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  exec: z
    .object({
      command: z.string().min(1),
      args: z.array(z.string()).nullish(),
      env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
    })
    .nullish(),
  'auth-provider': z
    .object({
      name: z.literal('oidc', { error: 'is not supported, except for oidc; use a credential plugin (exec)' }),
      config: z.record(z.string(), z.string()),
    })
    .nullish(),
});

function faultOf(kind: string, name: string, schema: z.ZodType, value: unknown): string | undefined {
  const issue = schema.safeParse(value, { error: issueMessage }).error?.issues[0];
  if (issue === undefined) return undefined;
  return `${kind} "${shown(name)}": ${pathText(issue.path)} ${issue.message}`;
}

/**
 * Checks the values of a kubeconfig that are used. The client library passes them on unchecked, so a wrong one would
 * fail later, as an error of Node.js.
 * @returns what is wrong, without the values, which may be secrets
 */
export const kubeconfigFault = (cluster: Cluster, user: User | null): string | undefined =>
  faultOf('cluster', cluster.name, clusterSchema, exportCluster(cluster).cluster) ??
  (user === null ? undefined : faultOf('user', user.name, userSchema, exportUser(user).user));
