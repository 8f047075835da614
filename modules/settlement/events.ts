import { toHex } from '../../core/bytes.ts';
import { type Coin, coinToString, parseCoin } from '../../framework/coins.ts';
import { type Event, event } from '../../framework/events.ts';
import type { DeltaRow, Place } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type {
  Epoch,
  EpochRequest,
  Gateway,
  Round,
} from '../../proto/gen/openledger/settlement/v1/settlement.ts';

/** An account is a gateway. */
export function gatewayRegistered({ address, receiptKey, endpoint }: Gateway): Event {
  return event('register_gateway', { gateway: address, receipt_key: toHex(receiptKey), endpoint });
}

/** A gateway serves somewhere else. */
export function gatewayUpdated({ address, endpoint }: Gateway): Event {
  return event('update_gateway', { gateway: address, endpoint });
}

/** Claimed money waits for an epoch. */
export function revenueCollected({ id, gateway, denom }: Round, amount: bigint): Event {
  return event('collect_revenue', { round_id: `${id}`, gateway, amount: `${amount}${denom}` });
}

/** An epoch can be disputed until its final height. */
export function epochSettled(epoch: Epoch, { claimed }: Round): Event {
  const { id, gateway, denom, roundId, commitment, bond, finalHeight } = epoch;
  return event('settle_epoch', {
    epoch_id: `${id}`,
    gateway,
    round_id: `${roundId}`,
    amount: `${claimed}${denom}`,
    receipts: `${commitment.receipts.leaves}`,
    receipts_root: toHex(commitment.receipts.root),
    rows: `${commitment.rows.length}`,
    entitlements: `${commitment.entitlements.leaves}`,
    bond: coinToString(parseCoin(bond)),
    final_height: `${finalHeight}`,
  });
}

/** An epoch was wrong; its round waits for another. */
export function epochConvicted(
  { id, gateway, roundId, bond }: Epoch,
  challenger: string,
  reward: Coin,
): Event {
  return event('convict_epoch', {
    epoch_id: `${id}`,
    gateway,
    round_id: `${roundId}`,
    challenger,
    bond: coinToString(parseCoin(bond)),
    reward: coinToString(reward),
  });
}

/** An epoch was paid; what it does not list can be claimed. */
export function epochFinal({ id, gateway, denom, unclaimed }: Epoch): Event {
  return event('final_epoch', { epoch_id: `${id}`, gateway, entitled: `${unclaimed}${denom}` });
}

/** A row was paid to its place. */
export function rowPaid({ id, denom }: Epoch, { place, amount }: DeltaRow): Event {
  return event('pay_row', { epoch_id: `${id}`, place: placeText(place), amount: `${amount}${denom}` });
}

/** An entitlement was paid to its place. */
export function entitlementClaimed({ id, denom }: Epoch, index: number, { place, amount }: DeltaRow): Event {
  return event('claim_entitlement', {
    epoch_id: `${id}`,
    index: `${index}`,
    place: placeText(place),
    amount: `${amount}${denom}`,
  });
}

/** A piece of an epoch has to be shown by a height. */
export function requestMade(request: EpochRequest): Event {
  const { id, requester, epochId, bond, deadline } = request;
  return event('request_epoch_piece', {
    request_id: `${id}`,
    epoch_id: `${epochId}`,
    requester,
    piece: pieceText(request),
    bond: coinToString(parseCoin(bond)),
    deadline: `${deadline}`,
  });
}

/** A piece of an epoch was shown. */
export function requestAnswered(request: EpochRequest, gateway: string, paid: Coin): Event {
  const { id, epochId } = request;
  const ids = { request_id: `${id}`, epoch_id: `${epochId}` };
  return event('serve_epoch_piece', { ...ids, piece: pieceText(request), gateway, paid: coinToString(paid) });
}

/** Nobody answered, or the epoch was convicted meanwhile: the bond went back. */
export function requestExpired(request: EpochRequest): Event {
  const { id, requester, epochId, bond } = request;
  const ids = { request_id: `${id}`, epoch_id: `${epochId}` };
  return event('expire_epoch_request', { ...ids, requester, bond: coinToString(parseCoin(bond)) });
}

/** Tree and first leaf of a run; an attribution by its hash. */
function pieceText({ piece: { tree, first, attribution } }: EpochRequest): string {
  return attribution.length > 0 ? toHex(attribution) : `${tree}/${first}`;
}

function placeText({ kind, id, level, index }: Place): string {
  return [kind, id, level, index].join('/');
}
