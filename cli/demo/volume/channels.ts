/** Channels of the demo's payer to its gateway: opened in one transaction, closed in one. */
import { randomBytes } from 'node:crypto';
import type { IndexedTx } from '@cosmjs/stargate';
import { channelId, chainTime, closeChannel, gatewayChannel, openChannel } from '../../../client/index.ts';
import type { Ed25519Signer } from '../../../node/crypto/ed25519.ts';
import { KeyKind, type SigningKey } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import { MsgCloseChannel, MsgOpenChannel } from '../../../proto/gen/openledger/channels/v1/tx.ts';
import { type DemoChain, type Party, send } from '../party.ts';

/** Seconds in which the channels have to be open. */
const OPEN_WITHIN = 600n;

/** Who opens channels to whom. */
export interface Opening {
  readonly chain: DemoChain;
  readonly payer: Party;
  readonly session: Ed25519Signer;
  readonly gateway: Party;
  readonly gatewayKey: Ed25519Signer;
  readonly count: number;
  /** Base units in each. */
  readonly deposit: bigint;
}

/** Opens them; their ids, and the transaction. */
export async function openChannels(
  opening: Opening,
): Promise<{ readonly ids: readonly Uint8Array[]; readonly tx: IndexedTx }> {
  const { chain, payer, session, gateway, gatewayKey, count, deposit } = opening;
  const { withdrawDelayMin } = (await chain.connection.queries.openledger.channels.params()).params;
  const openBefore = (await chainTime(chain.connection)) + OPEN_WITHIN;
  const configs = Array.from({ length: count }, () =>
    gatewayChannel({
      payer: payer.address,
      payerKey: keyOf(session),
      gateway: gateway.address,
      gatewayKey: keyOf(gatewayKey),
      denom: chain.denom,
      withdrawDelay: withdrawDelayMin,
      openBefore,
      salt: randomBytes(32),
    }),
  );
  const messages = configs.map((config) =>
    openChannel(MsgOpenChannel.create({ config, deposit: `${deposit}` })),
  );
  const tx = await send(payer, messages);
  return { ids: configs.map((config) => channelId(chain.chainId, config)), tx };
}

/** The gateway asks for nothing more: what is left of the deposits goes back to the payer. */
export async function closeChannels(
  chain: DemoChain,
  gateway: Party,
  ids: readonly Uint8Array[],
): Promise<IndexedTx> {
  const closeBefore = (await chainTime(chain.connection)) + OPEN_WITHIN;
  const { channels } = chain.connection.queries.openledger;
  const records = await Promise.all(ids.map((id) => channels.channel({ channelId: id })));
  const messages = records.map(({ channel: { id, balance } }) =>
    closeChannel(
      MsgCloseChannel.create({ sender: gateway.address, channelId: id, total: balance.claimed, closeBefore }),
    ),
  );
  return await send(gateway, messages);
}

function keyOf({ publicKey }: Ed25519Signer): SigningKey {
  return { kind: KeyKind.KEY_KIND_ED25519, key: publicKey };
}
