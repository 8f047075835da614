/** A node that lies in block sync: about how much it has, and in what it answers. */
import { encodeRange } from '../../../node/blocksync/messages.ts';
import { BLOCKS_PROTOCOL, SYNC_CHANNEL } from '../../../p2p/channels.ts';
import type { MachineOptions } from '../machine.ts';
import { tamperedNetwork } from './network.ts';

/** How it lies. */
export const LIES = [
  'claims more',
  'claims less later',
  'changes blocks',
  'never answers',
  'has a late base',
] as const;

/** One of them. */
export type Lie = (typeof LIES)[number];

const MUCH = 1_000_000n;

/** A machine with a liar on it. */
export function syncLiar(
  lie: Lie,
  { name, keySeed }: Pick<MachineOptions, 'name' | 'keySeed'>,
): MachineOptions {
  return {
    name,
    keySeed,
    isHonest: false,
    network: (network, machine) => {
      const { random } = machine.ports.scheduler;
      return tamperedNetwork(network, {
        send: ({ channel, bytes }) => {
          if (channel !== SYNC_CHANNEL.name) return [bytes];
          if (lie === 'claims more') return [encodeRange({ base: 1n, height: MUCH })];
          if (lie === 'has a late base') return [encodeRange({ base: MUCH, height: 2n * MUCH })];
          if (lie !== 'claims less later') return [bytes];
          return [encodeRange({ base: 1n, height: random.percent(50) ? MUCH : 1n })];
        },
        answer: (protocol, response) => {
          if (protocol !== BLOCKS_PROTOCOL.name) return response;
          if (lie === 'never answers') return undefined;
          if (lie !== 'changes blocks' || random.percent(30)) return response;
          const changed = Uint8Array.from(response);
          const at = random.below(changed.length);
          changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8));
          return changed;
        },
      });
    },
  };
}
