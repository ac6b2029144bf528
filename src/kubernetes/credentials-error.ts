import { oneLine } from '../model/text.ts';

/** No credentials could be obtained, so nothing was sent. The message says what to do. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

/** Maximum length of a credential plugin's output in a message, in characters. */
const LONGEST = 300;

/**
 * Explains why no credentials could be obtained.
 * @param program the credential plugin of the kubeconfig, if there is one
 */
export function credentialsError(error: unknown, program: string | undefined): CredentialsError {
  const { code, syscall, path, message } = error as NodeJS.ErrnoException;
  if (syscall === 'open')
    return new CredentialsError(
      `${code === 'ENOENT' ? `there is no file ${path}` : oneLine(message, LONGEST)}; correct its path in the kubeconfig`,
      { cause: error },
    );
  if (program === undefined)
    return new CredentialsError(`${oneLine(message, LONGEST)}; check the kubeconfig`, {
      cause: error,
    });
  if (syscall?.startsWith('spawn') === true)
    return new CredentialsError(
      `the kubeconfig gets them from the program ${program}, which ${code === 'ENOENT' ? 'is not in PATH; install it' : `cannot be run (${code})`}`,
      { cause: error },
    );
  const lines = message
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const said = oneLine(lines.join(' '), LONGEST);
  return new CredentialsError(
    `the program ${program} failed${said === '' ? '' : ` with "${said}"`}; log in again`,
    { cause: error },
  );
}
