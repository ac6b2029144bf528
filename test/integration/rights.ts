/** What `serve` may do in the namespace that it publishes to, as docs/security.md lists it. */
export const PUBLISHING = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    resourceNames: ['kubernaut-toolset-config'],
    verbs: ['get', 'list', 'watch', 'create', 'patch'],
  },
  {
    apiGroups: [''],
    resources: ['configmaps'],
    resourceNames: ['dynamic-toolset-config'],
    verbs: ['get', 'list', 'watch'],
  },
  { apiGroups: ['apps'], resources: ['controllerrevisions'], verbs: ['list', 'create', 'patch', 'delete'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
] as const;

/** What else it may do there, so that it can divide `toolset.json` among several ConfigMaps. */
export const SHARDS = [
  {
    apiGroups: [''],
    resources: ['configmaps'],
    resourceNames: [2, 3, 4].map((shard) => `kubernaut-toolset-config-${shard}`),
    verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'],
  },
];

/** What it may do in a namespace that it looks into. */
export const WATCHING = [
  { apiGroups: [''], resources: ['services'], verbs: ['list', 'watch'] },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
] as const;

/** The right to have tokens and access reviewed. */
export const REVIEWING = [
  { apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] },
  { apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'], verbs: ['create'] },
];
