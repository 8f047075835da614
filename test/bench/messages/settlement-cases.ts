/** Messages of settlement: epochs of 64 receipts. */
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { openEpochFraud } from '../../../gateway/epochs/open-fraud.ts';
import { openRun, type PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { DEFAULT_PARAMS } from '../../../modules/settlement/params.ts';
import { laneId } from '../../../modules/settlement/rounds.ts';
import { settlementState } from '../../../modules/settlement/state.ts';
import { EpochRule, EpochTree } from '../../../proto/gen/openledger/settlement/v1/epoch.ts';
import * as wire from '../../../proto/gen/openledger/settlement/v1/tx.ts';
import { epochOfReceipts, lanesOf, tiling } from '../../support/epochs.ts';
import { anyWith, caseOf, coin, type MessageCases } from './case.ts';
import type { MessageWorld } from './world.ts';

const STATE = settlementState();
const LANES = 64;
const ENDPOINT = 'https://gateway.example';
const NOBODY = { denom: 'uopen', terms: () => undefined };

function registration(gateway: string): Partial<wire.MsgRegisterGateway> {
  return { gateway, receiptKey: sha256(utf8(gateway)), endpoint: ENDPOINT };
}

function registered(world: MessageWorld): string {
  const gateway = world.takeAccount().account.address;
  world.run(anyWith(wire.MsgRegisterGateway, registration(gateway)));
  return gateway;
}

interface Settled {
  readonly message: Partial<wire.MsgSettleEpoch>;
  readonly epoch: PublishedEpoch;
}

/** A round of a gateway, a unit of each lane, and an epoch of it; a lie when the platform gets nothing. */
function settlement(world: MessageWorld, isLie: boolean): Settled {
  const { context, composition } = world;
  const gateway = registered(world);
  const id = STATE.roundSequence.next(context) + 1n;
  const round = { id, gateway, denom: 'uopen', claimed: `${LANES}`, closed: true, epochId: 0n };
  const channelId = sha256(utf8(gateway));
  STATE.params.set(context, { ...DEFAULT_PARAMS, epochBond: 1n });
  STATE.rounds.set(context, id, round);
  STATE.roundsOf.add(context, [composition.addresses.toBytes(gateway), id]);
  for (let lane = 0; lane < LANES; lane++)
    STATE.lanes.set(context, [id, laneId(channelId, lane)], {
      roundId: id,
      channelId,
      lane,
      from: 0n,
      to: 1n,
    });
  const receipts = tiling(lanesOf(context, id), NOBODY, () => undefined).map((receipt) => {
    const { platform, ...parts } = receipt.parts;
    return isLie ? { ...receipt, parts: { ...parts, platform: 0n, stakers: platform } } : receipt;
  });
  const epoch = epochOfReceipts(receipts, NOBODY, 0);
  return { message: { gateway, roundId: id, commitment: epoch.commitment, bond: coin(1) }, epoch };
}

/** A pending epoch and a request for all of its receipts. */
function requested(world: MessageWorld): {
  readonly request: wire.MsgRequestEpochPiece;
  readonly epoch: PublishedEpoch;
} {
  const { message, epoch } = settlement(world, false);
  world.run(anyWith(wire.MsgSettleEpoch, message));
  const { requestBond } = DEFAULT_PARAMS;
  const request = wire.MsgRequestEpochPiece.create({
    requester: world.takeAccount().account.address,
    epochId: STATE.epochSequence.peek(world.context),
    tree: EpochTree.EPOCH_TREE_RECEIPTS,
    index: 40,
    bond: coin(Number(requestBond)),
  });
  return { request, epoch };
}

/** See the file comment. */
export const SETTLEMENT_CASES: MessageCases = {
  ...caseOf(wire.MsgRegisterGateway, (world) => registration(world.takeAccount().account.address)),
  ...caseOf(wire.MsgUpdateGateway, (world) => ({ gateway: registered(world), endpoint: `${ENDPOINT}/2` })),
  ...caseOf(wire.MsgSettleEpoch, (world) => settlement(world, false).message),
  ...caseOf(wire.MsgDisputeEpoch, (world) => {
    const { message, epoch } = settlement(world, true);
    world.run(anyWith(wire.MsgSettleEpoch, message));
    const challenger = world.takeAccount().account.address;
    const fraud = openEpochFraud(epoch, EpochRule.EPOCH_RULE_SPLIT, { index: 40 });
    return { challenger, epochId: STATE.epochSequence.peek(world.context), fraud };
  }),
  ...caseOf(wire.MsgRequestEpochPiece, (world) => requested(world).request),
  ...caseOf(wire.MsgServeEpochPiece, (world) => {
    const { request, epoch } = requested(world);
    world.run(anyWith(wire.MsgRequestEpochPiece, request));
    const opening = openRun(epoch.receipts, { first: 0, end: LANES });
    const requestId = STATE.requestSequence.peek(world.context);
    return { sender: world.takeAccount().account.address, requestId, opening };
  }),
};
