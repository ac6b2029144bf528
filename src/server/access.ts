/** The right that a request needs, in Kubernetes' words: on a resource of ours, or on a path. */
export type Access =
  | { readonly resource: string; readonly verb: 'get' | 'create' | 'update' }
  | { readonly path: string; readonly verb: 'get' };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The right that the route needs, where access is reviewed. */
    access?: Access;
  }
}
