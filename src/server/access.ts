/** The permission that a request needs, in terms of RBAC: on a resource of our own, or on a path. */
export type Access =
  | { readonly resource: string; readonly verb: 'get' | 'create' | 'update' }
  | { readonly path: string; readonly verb: 'get' };

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The permission that the route needs, if access is reviewed. */
    access?: Access;
  }
}
