/** Conviction: what of the chain an epoch is held against, and what checking a fraud costs. */
import { DecodeError } from '../../core/errors.ts';
import type { ReadContext } from '../../framework/context.ts';
import { ed25519PublicKey } from '../../framework/tx/public-key.ts';
import { EpochFraud, type EpochOpening } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import { type Epoch, EpochState } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { MsgDisputeEpoch } from '../../proto/gen/openledger/settlement/v1/tx.ts';
import { paramsOf, type SettlementCore } from './core.ts';
import { placeExists, requireEpoch } from './epochs.ts';
import { refuseAs } from './errors.ts';
import { requireGateway } from './gateways.ts';
import { finalClaim } from './final-claim.ts';
import type { EpochChain } from './proof/chain.ts';
import { verifyEpochFraud } from './proof/fraud.ts';
import { receiptStatement } from './proof/receipt-statement.ts';
import { laneId } from './rounds.ts';

/** Least bytes of a sibling in an opening: as many hashes as there can be. */
const SIBLING_BYTES = 40;

/** An attribution is read, summed, divided and sorted: so many bytes of work for one of it. */
const ATTRIBUTION_STEPS = 16;

/** The epoch that a fraud convicts. Charges by size. @throws StateError (settlement 12, 13, 14) */
export function checkDispute(
  k: SettlementCore,
  context: ReadContext,
  { epochId, fraud }: MsgDisputeEpoch,
): Epoch {
  const epoch = requireEpoch(k, context, epochId);
  if (epoch.state !== EpochState.EPOCH_STATE_PENDING || context.block.height > epoch.finalHeight)
    refuseAs('window-over', `epoch ${epochId} could be disputed until height ${epoch.finalHeight}`);
  chargeFraud(k, context, fraud);
  try {
    verifyEpochFraud({ epoch: epoch.commitment, chain: chainOf(k, context, epoch) }, fraud);
  } catch (error) {
    if (error instanceof DecodeError) refuseAs('not-convicted', error.message);
    throw error;
  }
  return epoch;
}

function chargeFraud(k: SettlementCore, context: ReadContext, fraud: EpochFraud): void {
  const { openings, nodes, attribution } = fraud;
  const bytes = EpochFraud.encode(fraud).length + ATTRIBUTION_STEPS * attribution.length;
  chargeOpenings(k, context, { openings, bytes, hashes: 2 * nodes.length });
}

/** What is opened, its bytes, and hashes of other things. */
export interface OpenedSizes {
  readonly openings: readonly EpochOpening[];
  readonly bytes: number;
  readonly hashes?: number;
}

/** Charges for following openings to their roots, by their sizes. */
export function chargeOpenings(
  k: SettlementCore,
  context: ReadContext,
  { openings, bytes, hashes = 0 }: OpenedSizes,
): void {
  const { gasPerHash, gasPerByte } = paramsOf(k, context);
  let all = 2 + hashes;
  for (const { leaves, siblings } of openings)
    all += 3 * leaves.length + 2 * Math.ceil(siblings.length / SIBLING_BYTES) + 1;
  context.gas.consume(all * gasPerHash, 'settlement hashes');
  context.gas.consume(bytes * gasPerByte, 'settlement bytes');
}

/** What of the chain an epoch speaks of. */
export function chainOf(k: SettlementCore, context: ReadContext, epoch: Epoch): EpochChain {
  const { gateway, denom, roundId } = epoch;
  return {
    denom,
    terms: (modelId) => k.models.terms(context, { modelId, gateway }),
    lane: (channel, lane) => k.state.lanes.get(context, [roundId, laneId(channel, lane)]),
    claim: (id) => finalClaim(k, context, id),
    holds: (place) => placeExists(k, context, place, gateway),
    signed: (receipt, signature) => isSigned(k, context, gateway, { receipt, signature }),
  };
}

function isSigned(
  k: SettlementCore,
  context: ReadContext,
  gateway: string,
  { receipt, signature }: { readonly receipt: Uint8Array; readonly signature: Uint8Array },
): boolean {
  const bytes = receiptStatement(context.block.chainId, gateway, receipt);
  const key = ed25519PublicKey(requireGateway(k, context, gateway).receiptKey);
  const signed = { statement: { bytes, text: '' }, form: 'plain', key, signature } as const;
  return k.signatures.firstWrong(context, [signed]) === -1;
}
