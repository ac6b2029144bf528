/** Who asks, as the API server calls them. @see https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-review-v1/ */
export interface Caller {
  readonly username: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** What the API server says of a token. `why` is its own word for it. */
export type TokenVerdict =
  | { readonly authenticated: true; readonly user: Caller }
  | { readonly authenticated: false; readonly why: string };

/** What somebody wants to do. @see https://kubernetes.io/docs/reference/kubernetes-api/authorization-resources/subject-access-review-v1/ */
export type AccessAttributes =
  | {
      readonly resourceAttributes: {
        readonly verb: string;
        readonly group: string;
        readonly resource: string;
        readonly subresource?: string;
        readonly namespace?: string;
        readonly name?: string;
      };
    }
  | { readonly nonResourceAttributes: { readonly verb: string; readonly path: string } };

/** What the API server says of that. `reason` may be empty. */
export interface AccessVerdict {
  readonly allowed: boolean;
  readonly reason: string;
}
