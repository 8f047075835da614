/**
 * Ports of nodes that are stopped and started again. The system gives the ends of outgoing connections the
 * ports from 32768 on, as it does to those who ask for any port: while a node is down, another's connection
 * could get its port. None is chosen from there.
 */
import { randomInt } from 'node:crypto';
import { choosePorts, type NodePorts } from '../../../cli/devnet/ports.ts';
import { LedgerError } from '../../../core/errors.ts';

const FIRST = 10_000;
/** The last node's ports are still below 32768. */
const LAST = 32_000;
const ATTEMPTS_MAX = 20;

/**
 * Ports for so many nodes, all free at this moment, and none of those of `besides`: nodes that may be down.
 * @throws LedgerError `devnet.port` when some are taken each time
 */
export async function steadyPorts(
  nodes: number,
  options: { readonly besides?: readonly NodePorts[]; readonly draw?: () => number } = {},
): Promise<readonly NodePorts[]> {
  const { besides = [], draw = () => randomInt(FIRST, LAST) } = options;
  const taken = new Set(besides.flatMap(bothOf));
  for (let attempt = 1; ; attempt++) {
    try {
      const ports = await choosePorts({ nodes, rpcPort: draw() });
      const port = ports.flatMap(bothOf).find((one) => taken.has(one));
      if (port === undefined) return ports;
      throw new LedgerError('devnet.port', `port ${port} is that of a node of this network`, { port });
    } catch (error) {
      const isTaken = error instanceof LedgerError && error.code === 'devnet.port';
      if (!isTaken || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

function bothOf({ rpc, p2p }: NodePorts): readonly number[] {
  return [rpc, p2p];
}
