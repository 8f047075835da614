import { join } from 'node:path';

/** The lock of a running node: two on one home would write over each other. */
export function nodeLockPath(home: string): string {
  return join(home, 'data', 'node.lock');
}

/** The lock of whoever signs with this state, node or signer: two would sign with one key. */
export function signingLockPath(statePath: string): string {
  return `${statePath}.lock`;
}
