/** What ends the channels: the gateway asks for nothing more, payers get the rest of their deposits back. */
import { MsgCloseChannel } from '../../../proto/gen/openledger/channels/v1/tx.ts';
import { anyOf } from '../../support/test-chain.ts';
import { DEPOSIT, type ScaleWorld } from './world.ts';

/** Channels that one transaction closes. */
const CHANNELS_OF_TX = 500;

/** What it took, and what is not as it has to be. */
export interface Closing {
  readonly transactions: number;
  readonly bytes: number;
  readonly gas: bigint;
  readonly problems: readonly string[];
}

/** Closes all channels, each of which was charged so much, and looks at what every payer has then. */
export function closeChannels(world: ScaleWorld, charged: readonly bigint[]): Closing {
  const { chain, gateway, channels, payers } = world;
  const closeBefore = chain.time + 3_600n;
  const messages = channels.map(({ id }, number) => {
    const total = `${charged[number] ?? 0n}`;
    const message = { sender: gateway.address, channelId: id, total, closeBefore };
    return anyOf(MsgCloseChannel, MsgCloseChannel.create(message));
  });
  let [transactions, bytes, gas] = [0, 0, 0n];
  for (let first = 0; first < messages.length; first += CHANNELS_OF_TX) {
    const tx = world.sign(gateway, messages.slice(first, first + CHANNELS_OF_TX));
    const [used = 0n] = world.blockOk([tx]);
    transactions++;
    bytes += tx.length;
    gas += used;
  }
  const problems = payers.flatMap(({ address }, number): string[] => {
    const [found, wanted] = [chain.balance(address), 2n * DEPOSIT - (charged[number] ?? 0n)];
    return found === wanted ? [] : [`payer ${number} has ${found} after the closing, must have ${wanted}`];
  });
  const left = world.moduleBalance('channels');
  if (left !== 0n) problems.push(`${left} are left in closed channels`);
  return { transactions, bytes, gas, problems };
}
