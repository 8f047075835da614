/** Messages of payment channels. */
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { channelId } from '../../../modules/channels/format/configuration.ts';
import type { ChannelConfig } from '../../../proto/gen/openledger/channels/v1/channels.ts';
import * as wire from '../../../proto/gen/openledger/channels/v1/tx.ts';
import { configOf, rowFor, sessionSigner, voucherFor } from '../../support/channels.ts';
import { anyWith, caseOf, coin, type MessageCases } from './case.ts';
import type { MessageWorld } from './world.ts';

const DEPOSIT = '1000000';

let salts = 0;

function configured(world: MessageWorld): ChannelConfig {
  const payer = world.takeAccount().account;
  const receiver = world.takeAccount().account;
  const salt = sha256(utf8(`salt ${salts++}`));
  return configOf({ payer, receiver, now: world.block.time.seconds }, { salt });
}

/** A channel that is open. */
function opened(world: MessageWorld): ChannelConfig & { readonly channelId: Uint8Array } {
  const config = configured(world);
  world.run(anyWith(wire.MsgOpenChannel, { config, deposit: DEPOSIT }));
  return { ...config, channelId: channelId(world.block.chainId, config) };
}

/** See the file comment. */
export const CHANNEL_CASES: MessageCases = {
  ...caseOf(wire.MsgOpenChannel, (world) => ({ config: configured(world), deposit: DEPOSIT })),
  ...caseOf(wire.MsgTopUpChannel, (world) => {
    const { payer, channelId: id } = opened(world);
    return { sender: payer, channelId: id, amount: coin(100) };
  }),
  ...caseOf(wire.MsgRotateKey, (world) => {
    const { payer, channelId: id } = opened(world);
    return { payer, channelId: id, payerAuthorizer: sessionSigner('next').key };
  }),
  ...caseOf(wire.MsgClaimVouchers, (world) => {
    const { payer, receiver, channelId: id } = opened(world);
    return { claimer: receiver, rows: [rowFor(voucherFor(id), { signer: sessionSigner(payer) })] };
  }),
  ...caseOf(wire.MsgCloseChannel, (world) => {
    const { receiver, channelId: id } = opened(world);
    return { sender: receiver, channelId: id, total: '0', closeBefore: world.block.time.seconds + 60n };
  }),
  ...caseOf(wire.MsgInitiateWithdrawal, (world) => {
    const { payer, channelId: id } = opened(world);
    return { payer, channelId: id };
  }),
};
