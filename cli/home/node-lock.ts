import { join } from 'node:path';

/** The lock of a running node: two on one home would sign with one key. */
export function nodeLockPath(home: string): string {
  return join(home, 'data', 'node.lock');
}
