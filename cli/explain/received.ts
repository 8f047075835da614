/**
 * What accounts received besides what is proved: from whom, by which message and why, as the events of a
 * block tell it. It is the node's word: events are in no state, so nothing here has a proof.
 */
import { fromBech32, toBech32 } from '../../core/bech32.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { Event } from '../../proto/gen/tendermint/abci/types.ts';
import { attributeOf, type ExplainChain } from './chain.ts';

/** Coins that reached an account. */
export interface Received {
  readonly height: bigint;
  /** Upper hexadecimal digits; empty for what a block does of itself. */
  readonly tx: string;
  readonly receiver: string;
  /** Empty when the events do not name one. */
  readonly sender: string;
  /** As coins are written: `5uopen`, or several behind commas. */
  readonly amount: string;
  /** `by MsgSend`, or the part of the block: `at the end of the block`. */
  readonly by: string;
  /** What the event of a module says about it; empty for a mere transfer. */
  readonly reason: string;
}

/** Where events are from. */
interface Place {
  readonly height: bigint;
  readonly tx: string;
}

/** Accounts of modules, by what people call them. */
const MODULES = [
  ...['attribution', 'bonded_tokens_pool', 'channels', 'distribution', 'fee_collector', 'gov', 'mint'],
  ...['not_bonded_tokens_pool', 'payments', 'pools', 'settlement'],
] as const;

/** What the events that move money say; `{name}` is an attribute. Others are told by all of their attributes. */
const REASONS: Readonly<Record<string, string>> = {
  transfer_with_authorization: 'transfer authorised by {from}, nonce {nonce}, relayed by {relayer}',
  refund_payment: 'refund of receipt {receipt_id} by {sender}',
  return_hold: 'hold {hold_id} {reason}, back to its payer',
  capture_hold: 'rest of hold {hold_id}, which paid receipt {receipt_id}',
  settle_escrow: 'receipt {receipt_id}, which waited for claim {claim_id}, to {to}',
  claim_voucher: 'voucher of channel {channel_id}, lane {lane}',
  close_channel: 'channel {channel_id} closed: {paid} to {receiver}, {returned} back to {payer}',
  collect_revenue: 'revenue of gateway {gateway}, round {round_id}',
  convict_epoch: 'epoch {epoch_id} of {gateway} convicted by {challenger}: bond {bond}, reward {reward}',
  final_epoch: 'epoch {epoch_id} of {gateway} is final: its bond, back',
  serve_epoch_piece: 'piece {piece} of epoch {epoch_id} served, request {request_id}',
  expire_epoch_request: 'bond of request {request_id} to epoch {epoch_id}, which was not answered',
  withdraw_rewards: 'staking rewards of validator {validator}',
  withdraw_commission: 'commission of a validator',
  complete_unbonding: 'unbonded from validator {validator}',
  claim: 'claim of {owner} from pools',
  forward_slot: 'slot {slot} of pool {pool}, which cannot hold this denomination',
};

/** Events of bank and of transactions: they say that, and not why. */
const MOVES = ['burn', 'coin_received', 'coin_spent', 'coinbase', 'message', 'transfer', 'tx'];

/**
 * What a transaction paid besides claims from pools and payments for inferences, which are proved. Its fee
 * is left out: it goes to whoever stakes, and is told with their rewards.
 */
export function receivedByTx(events: readonly Event[], place: Place): readonly Received[] {
  const paying = new Set(events.filter(({ type }) => type === 'pay_inference').map(groupOf));
  return moves(events, place)
    .filter(({ event, cause, row }) => {
      if (groupOf(event) === '' || cause?.type === 'claim') return false;
      return !paying.has(groupOf(event)) || moduleNamed(row.receiver) === undefined;
    })
    .map(({ row }) => row);
}

/** What an account received from a block on, besides its own claims from pools, in rising order of blocks. */
export async function receivedSince(
  chain: ExplainChain,
  { address, since }: { readonly address: string; readonly since: bigint },
): Promise<readonly Received[]> {
  const query = `coin_received.receiver='${address}'`;
  const txs = await chain.txs(`${query} AND tx.height>=${since}`);
  const found = txs.flatMap(({ events, height, hash }) => moves(events, { height, tx: hash }));
  for (const height of await chain.blocks(`${query} AND block.height>=${since}`))
    found.push(...moves(await chain.blockEvents(height), { height, tx: '' }));
  return found
    .filter(({ cause, row }) => row.receiver === address && !isClaimOf(cause, address))
    .map(({ row }) => row)
    .sort((a, b) => Number(a.height - b.height));
}

function isClaimOf(cause: Event | undefined, owner: string): boolean {
  return cause?.type === 'claim' && attributeOf(cause, 'owner') === owner;
}

/** In a sentence. */
export function receivedText({ height, tx, receiver, sender, amount, by, reason }: Received): string {
  const named = (address: string): string => {
    const name = moduleNamed(address);
    return name === undefined ? address : `${address} (${name})`;
  };
  const from = sender === '' ? '' : ` from ${named(sender)}`;
  const where = tx === '' ? `block ${height}` : `block ${height}, tx ${tx}`;
  return `${named(receiver)} received ${amount}${from} ${by}${reason === '' ? '' : `: ${reason}`} (${where})`;
}

interface Move {
  readonly event: Event;
  readonly cause: Event | undefined;
  readonly row: Received;
}

/** @param events of one transaction, or of one block outside of these */
function moves(events: readonly Event[], place: Place): readonly Move[] {
  return events.flatMap((event, i) => {
    const [receiver, amount] = [attributeOf(event, 'receiver'), attributeOf(event, 'amount')];
    if (event.type !== 'coin_received' || amount === '') return [];
    const cause = causeOf(events, i);
    const reason = cause === undefined ? '' : reasonOf(cause);
    const row = {
      ...place,
      receiver,
      sender: senderAt(events, i),
      amount,
      by: movedBy(events, event),
      reason,
    };
    return [{ event, cause, row }];
  });
}

/** Events of one message, or of one end of a block, belong together; fees of a transaction to neither. */
function groupOf(event: Event): string {
  return attributeOf(event, 'msg_index') || attributeOf(event, 'mode');
}

/** The event about the same money: of its group, with its amount and receiver if there is one; the nearest. */
function causeOf(events: readonly Event[], at: number): Event | undefined {
  const moved = events[at];
  if (moved === undefined) return undefined;
  const [receiver, amount] = [attributeOf(moved, 'receiver'), attributeOf(moved, 'amount')];
  let best: { readonly event: Event; readonly score: number; readonly distance: number } | undefined;
  for (const [i, event] of events.entries()) {
    if (MOVES.includes(event.type) || groupOf(event) !== groupOf(moved)) continue;
    const values = event.attributes.map(({ value }) => value);
    // A voucher's amount is without its denomination.
    const hasAmount = values.some((value) => value === amount || value === /^\d+/.exec(amount)?.[0]);
    const score = (hasAmount ? 2 : 0) + (values.includes(receiver) ? 1 : 0);
    const distance = Math.abs(i - at);
    const isBetter =
      best === undefined || score > best.score || (score === best.score && distance < best.distance);
    if (score > 0 && isBetter) best = { event, score, distance };
  }
  return best?.event;
}

function reasonOf(event: Event): string {
  const told = event.attributes.filter(({ key }) => key !== 'msg_index' && key !== 'mode');
  const form = REASONS[event.type];
  if (form === undefined)
    return `${event.type} (${told.map(({ key, value }) => `${key} ${value}`).join(', ')})`;
  return form.replace(/\{(\w+)\}/g, (_, key: string) => attributeOf(event, key));
}

/** Bank tells of a transfer as spent, received, transfer; where coins only change their form there is no transfer. */
function senderAt(events: readonly Event[], at: number): string {
  const [before, received, after] = [events[at - 1], events[at], events[at + 1]];
  if (received === undefined) return '';
  const amount = attributeOf(received, 'amount');
  const isTransfer =
    after?.type === 'transfer' && attributeOf(after, 'recipient') === attributeOf(received, 'receiver');
  if (isTransfer) return attributeOf(after, 'sender');
  const isSpent = before?.type === 'coin_spent' && attributeOf(before, 'amount') === amount;
  return isSpent ? attributeOf(before, 'spender') : '';
}

/** The message, or the part of the block. */
function movedBy(events: readonly Event[], moved: Event): string {
  const index = attributeOf(moved, 'msg_index');
  const action = events.find(
    (event) =>
      event.type === 'message' &&
      attributeOf(event, 'msg_index') === index &&
      attributeOf(event, 'action') !== '',
  );
  if (index !== '' && action !== undefined) return `by ${attributeOf(action, 'action').split('.').at(-1)}`;
  const mode = attributeOf(moved, 'mode');
  if (mode === '') return 'as the fee of the transaction';
  return mode === 'BeginBlock' ? 'at the beginning of the block' : 'at the end of the block';
}

function moduleNamed(address: string): string | undefined {
  const { prefix } = fromBech32(address);
  return MODULES.find((name) => toBech32(prefix, moduleAddress(name)) === address);
}
