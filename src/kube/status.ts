import { EXIT, UserError } from '../model/exit.ts';

/** The API server answered with an error: its status code and its own words. */
export class ApiStatusError extends Error {
  override readonly name = 'ApiStatusError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** Was a request refused for lack of rights? */
export function isDenied(error: unknown): boolean {
  return error instanceof ApiStatusError && (error.code === 401 || error.code === 403);
}

function unreachableReason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name does not resolve';
    case 'ETIMEDOUT':
      return 'no answer in time';
    default:
      return error.message;
  }
}

/** A failed request to the API server as an error for a person: what was tried, what happened, what to do. */
export function clusterError(error: unknown, doing: string, server: string): UserError {
  if (error instanceof UserError) return error;
  if (error instanceof ApiStatusError) {
    const fix =
      error.code === 401
        ? 'log in again, or check the credentials in the kubeconfig'
        : error.code === 403
          ? 'grant it with a Role and RoleBinding, or use another context'
          : 'check the API server';
    return new UserError(`cannot ${doing}: ${error.message}; ${fix}`, EXIT.cluster, { cause: error });
  }
  const reason = unreachableReason(error as NodeJS.ErrnoException);
  return new UserError(
    `cannot ${doing}: the cluster at ${server} is not reachable (${reason}); check the kubeconfig's context and the network`,
    EXIT.cluster,
    { cause: error },
  );
}
