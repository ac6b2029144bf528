/**
 * Descriptions of fields that the reference pages describe in prose or not at all, by place in the file: `*` is any key,
 * `[]` any item.
 */
export type Texts = Readonly<Record<string, string>>;

export const OVERRIDES: Texts = {
  tools:
    'By `NAMESPACE/SERVICE`: fields that change a discovered tool. By any other name: a tool of your own.',
  holmesgpt:
    'Merged into `custom_toolset.yaml`: mappings are merged, other values are replaced, `null` removes a value.',
  'holmesgpt.toolsets': 'Toolsets of HolmesGPT by name.',
  'holmesgpt.toolsets.*.backends':
    'Fields for discovered backends only, by `NAMESPACE/SERVICE`, `NAMESPACE/*` or `*` for every one.',
  'holmesgpt.mcp_servers': 'MCP servers by name.',
};

const condition = (place: string): Texts => ({
  [`${place}.labels`]: 'Labels: text (`*` matches any characters), list of texts, or `true` for any value.',
  [`${place}.annotations`]: 'Annotations: text (`*` matches any characters), list of texts, or `true`.',
  [`${place}.selector`]:
    'Entries of the selector: text (`*` matches any characters), list of texts, or `true`.',
  [`${place}.name`]: 'Name of the Service: text (`*` matches any characters) or list of texts.',
  [`${place}.port`]: 'One port that fulfills all of these.',
  [`${place}.port.name`]: 'Name of the port: text (`*` matches any characters), list of texts, or `true`.',
  [`${place}.port.number`]: 'Number of the port.',
  [`${place}.port.appProtocol`]: '`appProtocol` of the port: text, list of texts, or `true`.',
});

/** The part of a detector for HolmesGPT, by place in it. */
const HOLMESGPT: Texts = {
  toolsets: 'Built-in toolsets of HolmesGPT that this backend configures.',
  config: 'Fields of one backend; `{endpoint}`, `{authority}` and `{tool}` are replaced.',
  list: 'Key of the list with the backends.',
  nameField: 'Field with the name of a backend in that list.',
  credentials: '`required`: the toolset does not work without credentials.',
  auth: 'Field of the toolset for each kind of credential. It accepts no other kinds.',
  'auth.apiKey': 'Field for an API key.',
  'auth.bearerToken': 'Field for a bearer token.',
  'auth.username': 'Field for a user name.',
  'auth.password': 'Field for a password.',
  'auth.headers': 'Field for headers.',
  http: 'An HTTP toolset, GET only.',
  'http.paths': 'Allowed paths below the base path; `*` matches any characters.',
  'http.instructions': 'What the model reads about the API.',
  mcp: 'The backend is an MCP server.',
  none: 'Why HolmesGPT has no entry for it.',
};

/** The same texts, at a place in the file. */
const holmesgptAt = (place: string): Texts =>
  Object.fromEntries(Object.entries(HOLMESGPT).map(([below, text]) => [`${place}.${below}`, text]));

/** A request of a probe, and what its response must be. */
const check = (place: string): Texts => ({
  [`${place}.get`]: 'Path of the GET request; `{base}` is the base path.',
  [`${place}.status`]: 'Accepted status codes; any 2xx by default.',
  [`${place}.json`]:
    'Values of the JSON body by dotted path: the value, `{ type: string }`, `{ present: false }` or `{ contains: text }`.',
  [`${place}.json.*.type`]: 'Type of the value.',
  [`${place}.json.*.present`]: 'Whether the value is present.',
  [`${place}.json.*.contains`]: 'A text that the value contains.',
  [`${place}.headers`]: 'Texts that headers contain, by lower-case name; `true`: the header is present.',
  [`${place}.body`]: 'A text that the body contains.',
  [`${place}.text`]: 'The whole body, apart from white space around it.',
  [`${place}.not`]: '`true`: the check holds if the response does not match it.',
});

export const DETECTOR: Texts = {
  'signals[].certainty': 'How sure the signal is. A `hint` needs a proof.',
  ...condition('signals[]'),
  'exclude[].why': 'Why such a Service is not a backend; shown to users.',
  ...condition('exclude[]'),
  'fromAnnotations.type': 'Annotation with the type.',
  'fromAnnotations.name': 'Annotation with the name of the tool.',
  'fromAnnotations.endpoint': 'Annotation with the URL.',
  'fromAnnotations.port': 'Annotation with the number or name of the port.',
  'fromAnnotations.healthPath': 'Annotation with the path of the health check.',
  'fromAnnotations.path': 'Annotations with the base path; the first one that is present applies.',
  'fromAnnotations.description': 'Annotation with the description.',
  'ports.names': 'Names of its ports, the preferred first.',
  'ports.numbers': 'Numbers of its ports, the preferred first.',
  'ports.appProtocols': '`appProtocol`s that take precedence over names and numbers.',
  'ports.any': '`true`: the only port of a Service will do, whatever its name.',
  'paths[].words': 'Words that the Service must have in its name, labels or selector.',
  'paths[].when': 'A condition that the Service must fulfill.',
  ...condition('paths[].when'),
  'paths[].path': 'Base path of the API. `{tenant}` is replaced by each tenant.',
  'paths[].tenants': 'The tenants that such a backend always has.',
  'paths[].mode': 'Transport of an MCP server.',
  'paths[].scheme': 'Scheme of the endpoint.',
  probe: 'How to check the health of a backend, and prove its type.',
  'probe.protocol': 'Protocol of the probe.',
  'probe.method':
    'For the protocol `grpc`: service and method, such as `observer.Observer/ServerStatus`. It has no parameters, and only this product has it.',
  'probe.tenant': 'How requests name a tenant.',
  'probe.tenant.header': 'Header with the id of the tenant.',
  'probe.tenant.required': 'A request without a tenant, and the response to it if the backend requires one.',
  ...check('probe.tenant.required'),
  'probe.proofs[].all': 'Checks, all of which must hold.',
  ...check('probe.proofs[].all[]'),
  'probe.proofs[].weak':
    '`true`: the proof confirms what labels say, and never changes the type of something else.',
  'probe.proofs[].path': 'Base path at which the type is proven.',
  'outputs.holmesgpt': 'Its entry for HolmesGPT.',
  ...holmesgptAt('outputs.holmesgpt'),
  holmes: 'Deprecated: write it as `outputs.holmesgpt`.',
  ...holmesgptAt('holmes'),
};

export const CONFIG: Texts = {
  detectors: 'Options of detectors by type.',
  credentials:
    'Credentials by type with the namespaces that they are for, or by `NAMESPACE/SERVICE`, as names of environment variables of the agent.',
  'credentials.*.apiKey': 'Variable with an API key.',
  'credentials.*.bearerToken': 'Variable with a bearer token.',
  'credentials.*.username': 'Variable with a user name.',
  'credentials.*.password': 'Variable with a password.',
  'credentials.*.agentToken': '`true`: the agent brings the token of its own ServiceAccount.',
  'credentials.*.headers': 'Names of headers, each with its variable.',
  'credentials.*.namespaces':
    'Namespaces whose backends of the type get the credentials; `*` for all watched ones.',
  tenants:
    'Ids of tenants, one or a list, by type, `NAMESPACE/*` or `NAMESPACE/SERVICE`. The most specific key applies.',
  certificates:
    'Files with which probes use TLS, by type, `NAMESPACE/*` or `NAMESPACE/SERVICE`. The most specific key applies.',
  'certificates.*.caFile': 'PEM file with certificate authorities, in addition to those of the system.',
  'certificates.*.clientCertificateFile':
    'PEM file with the certificate that probes present if a server asks for one. Only under `NAMESPACE/*` and `NAMESPACE/SERVICE`.',
  'certificates.*.clientKeyFile': 'PEM file with the private key of that certificate.',
};
