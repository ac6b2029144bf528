import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** The address at which backends listen. It is a Pod's in the API server's eyes, and only exists in the namespace. */
export const POD_ADDRESS = '10.9.9.9';

/** All addresses of its network can be used in the same way, because they are on the loopback interface. */
const POD_NETWORK_BITS = 16;

/** Prepares the network namespace, then becomes the program that it is given. */
const PREPARE = `ip link set lo up && ip addr add ${POD_ADDRESS}/${POD_NETWORK_BITS} dev lo && exec "$@"`;

/**
 * The words that run a program in a network namespace of its own, which has a loopback interface with `POD_ADDRESS` and
 * no way out: the API server takes no address of a loopback network for a Pod's, and this machine's own stay as they are.
 */
export function inNamespace(command: readonly string[]): readonly [command: string, args: string[]] {
  const flags = process.getuid?.() === 0 ? '-n' : '-rn';
  return ['unshare', [flags, 'sh', '-c', PREPARE, 'sh', ...command]];
}

/** Why no network namespace can be made here, or nothing where it can. */
export async function namespaceProblem(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  const [command, args] = inNamespace(['true']);
  try {
    await promisify(execFile)(command, args, { timeout: 10_000 });
    return undefined;
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === 'ENOENT') return 'there is no unshare (package util-linux)';
    if (/\bip: .*not found/.test(stderr ?? '')) return 'there is no ip (package iproute2)';
    return `no network namespace can be made: ${(stderr ?? '').trim().split('\n', 1)[0] || (error as Error).message}`;
  }
}
