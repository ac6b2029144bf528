import { oneLine } from '../model/text.ts';

/** The credentials of the kubeconfig could not be had, so nothing was sent. The message says what to do. */
export class CredentialsError extends Error {
  override readonly name = 'CredentialsError';
}

/** Longest text of what a program said, in characters. */
const LONGEST = 300;

/**
 * Why credentials could not be had, for a person.
 * @param program the program that the kubeconfig names to get them, if it names one
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
  const said = oneLine(message.trim().replace(/\s*\n\s*/g, ' '), LONGEST);
  return new CredentialsError(
    `the program ${program} failed${said === '' ? '' : ` with "${said}"`}; log in again`,
    { cause: error },
  );
}
