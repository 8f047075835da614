/** Planted bugs: evidence is kept, and goes nowhere. */
import type { NodeEnvironment } from '../../../node/environment.ts';
import { EVIDENCE_CHANNEL } from '../../../p2p/channels.ts';
import type { SimMachine } from '../machine.ts';

/** Evidence is sent to nobody. */
export function tellingNobody(environment: NodeEnvironment): NodeEnvironment {
  return {
    ...environment,
    openNetwork: async (options) => {
      const network = await environment.openNetwork(options);
      const send = network.send.bind(network);
      network.send = (peer, channel, bytes) =>
        channel === EVIDENCE_CHANNEL.name || send(peer, channel, bytes);
      return network;
    },
  };
}

/** Blocks are proposed without evidence. */
export function proposingNone(environment: NodeEnvironment, machine: SimMachine): NodeEnvironment {
  machine.onCore = ({ evidence }) => {
    evidence.pending = () => ({ evidence: [], bytes: 0n });
  };
  return environment;
}
