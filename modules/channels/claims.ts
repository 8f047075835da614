/**
 * Claims by vouchers of many channels in one message. What could never be right (a wrong signature, a total
 * above the voucher, another's channel) fails the message: its sender could have known. What was right and is
 * not any more (the channel closed, the key's time over, claimed before, the deposit used up) only brings
 * nothing: no payer can spoil the rows of others by being quick.
 */
import { toHex } from '../../core/bytes.ts';
import type { Context, ReadContext } from '../../framework/context.ts';
import { StateError } from '../../framework/errors.ts';
import type { SignatureTask } from '../../framework/tx/signature.ts';
import type { SignedStatement, StatementVerifier } from '../../framework/tx/statement.ts';
import {
  type Channel,
  ChannelBalance,
  type ChannelConfig,
  type SigningKey,
} from '../../proto/gen/openledger/channels/v1/channels.ts';
import { ClaimOutcome, type ClaimResult, type ClaimRow } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { channelErrors } from './errors.ts';
import { voucherClaimed } from './events.ts';
import { leadsTo } from './format/hash-chain.ts';
import { type VoucherContent, voucherBytes, voucherText } from './format/voucher.ts';
import type { Channels, OpenChannel } from './keeper.ts';
import type { ChannelState } from './state.ts';
import type { ClaimedInterval } from '../settlement/types.ts';
import { type CheckedRow, keyOf, rowOf } from './wire.ts';

/** A row that was checked: it claims from a channel by a signature of a key, or brings nothing. */
type PlannedRow =
  | { readonly row: CheckedRow; readonly open: OpenChannel; readonly key: SigningKey }
  | { readonly row: CheckedRow; readonly nothing: ClaimOutcome };

type GoodRow = Extract<PlannedRow, { readonly key: SigningKey }>;

/** Claims that were checked: everything that executing them needs. */
export type ClaimPlan = readonly PlannedRow[];

/** What claiming works with. */
export interface ClaimPorts {
  readonly channels: Channels;
  readonly state: ChannelState;
  readonly statements: StatementVerifier;
}

/** Money of a channel while a message claims from it. */
interface RunningBalance {
  readonly id: Uint8Array;
  readonly deposited: bigint;
  claimed: bigint;
}

/** What a row brought: the interval of what was claimed of its lane in all. */
interface PaidRow {
  readonly outcome: ClaimOutcome;
  readonly from: bigint;
  readonly to: bigint;
}

/** What goes to a receiver in a denomination. */
interface Payout {
  readonly config: ChannelConfig;
  readonly lanes: ClaimedInterval[];
}

/** Claims by vouchers. */
export class Claims {
  readonly #channels: Channels;
  readonly #state: ChannelState;
  readonly #statements: StatementVerifier;

  constructor({ channels, state, statements }: ClaimPorts) {
    this.#channels = channels;
    this.#state = state;
    this.#statements = statements;
  }

  /** @throws StateError (channels 5 … 9, 15) when the message could never be right */
  plan(context: ReadContext, claimer: string, rows: readonly ClaimRow[]): ClaimPlan {
    const plan = this.#planRows(context, claimer, rows);
    this.#checkLinks(context, plan);
    this.#checkSignatures(context, plan);
    return plan;
  }

  /** The signatures that `plan` verifies, links not looked at. @throws StateError (channels 5, 6, 9, 15) */
  signatures(context: ReadContext, claimer: string, rows: readonly ClaimRow[]): readonly SignatureTask[] {
    const good = this.#planRows(context, claimer, rows).filter(isGood);
    return this.#statements.tasks(
      context,
      good.map((row) => signedVoucher(row, context.block.chainId)),
    );
  }

  #planRows(context: ReadContext, claimer: string, rows: readonly ClaimRow[]): ClaimPlan {
    const { rowsMax } = this.#channels.params(context);
    if (rows.length > rowsMax)
      throw new StateError(
        channelErrors.tooManyRows,
        `${rows.length} rows, at most ${rowsMax}; use several messages`,
      );
    const known = new Map<string, OpenChannel | undefined>();
    return rows.map((wire, i) => {
      const row = rowOf(wire);
      const open = this.#channelOf(context, row.voucher.channelId, known);
      if (open === undefined) return { row, nothing: ClaimOutcome.CLAIM_OUTCOME_NO_CHANNEL };
      this.#requireReceiver(open, claimer, i);
      const key = this.#keyOf(context, open.channel, row.voucher, i);
      if (key === undefined) return { row, nothing: ClaimOutcome.CLAIM_OUTCOME_KEY_RETIRED };
      return { row, open, key };
    });
  }

  #channelOf(
    context: ReadContext,
    id: Uint8Array,
    known: Map<string, OpenChannel | undefined>,
  ): OpenChannel | undefined {
    const text = toHex(id);
    if (known.has(text)) return known.get(text);
    const channel = this.#channels.channel(context, id);
    const open = channel === undefined ? undefined : { id, channel };
    known.set(text, open);
    return open;
  }

  #requireReceiver({ channel }: OpenChannel, claimer: string, i: number): void {
    if (this.#channels.isSame(channel.config.receiver, claimer)) return;
    throw new StateError(
      channelErrors.notAParty,
      `row ${i}: the receiver of the channel is ${channel.config.receiver}, not ${claimer}`,
    );
  }

  /** The key that a voucher names; undefined when its time is over. */
  #keyOf(
    context: ReadContext,
    channel: Channel,
    { keyVersion }: VoucherContent,
    i: number,
  ): SigningKey | undefined {
    if (keyVersion === channel.keyVersion) return channel.payerAuthorizer;
    if (keyVersion > channel.keyVersion)
      throw new StateError(
        channelErrors.invalidVoucher,
        `row ${i}: key_version is ${keyVersion}, the channel is at ${channel.keyVersion}`,
      );
    const isPrevious = keyVersion + 1 === channel.keyVersion;
    return isPrevious && this.#channels.isPreviousKeyGood(context, channel)
      ? channel.previousKey?.key
      : undefined;
  }

  #checkLinks(context: ReadContext, plan: ClaimPlan): void {
    const { gasPerLink } = this.#channels.params(context);
    for (const [i, planned] of plan.entries()) {
      const { link } = planned.row;
      if (link === undefined || !isGood(planned)) continue;
      context.gas.consume(gasPerLink * link.index, 'hash chain');
      if (!leadsTo(link.root, link.preimage, link.index))
        throw new StateError(
          channelErrors.wrongPreimage,
          `row ${i}: the preimage is not link ${link.index} of the voucher’s hash chain`,
        );
    }
  }

  #checkSignatures(context: ReadContext, plan: ClaimPlan): void {
    const good = [...plan.entries()].flatMap(([i, planned]) => (isGood(planned) ? [{ i, planned }] : []));
    const { chainId } = context.block;
    const wrong = this.#statements.firstWrong(
      context,
      good.map(({ planned }) => signedVoucher(planned, chainId)),
    );
    if (wrong >= 0)
      throw new StateError(
        channelErrors.wrongSignature,
        `row ${good[wrong]?.i ?? -1}: the channel’s key has not signed this voucher on ${chainId}`,
      );
  }

  /** Pays what was planned. One transfer for each denomination. */
  pay(context: Context, plan: ClaimPlan): readonly ClaimResult[] {
    const balances = new Map<string, RunningBalance>();
    const payouts = new Map<string, Payout>();
    const results = plan.map((planned) => {
      if (!isGood(planned)) return { outcome: planned.nothing, paid: '0' };
      const { id, channel } = planned.open;
      const { config } = channel;
      const paid = this.#payRow(context, planned, this.#balanceOf(context, id, balances));
      const to = `${config.receiverKind} ${config.denom}`;
      const payout = payouts.get(to) ?? { config, lanes: [] };
      if (paid.to > paid.from) payout.lanes.push({ channelId: id, lane: planned.row.voucher.lane, ...paid });
      payouts.set(to, payout);
      return { outcome: paid.outcome, paid: `${paid.to - paid.from}` };
    });
    for (const { id, deposited, claimed } of balances.values())
      this.#state.balances.set(context, id, { deposited: `${deposited}`, claimed: `${claimed}` });
    for (const { config, lanes } of payouts.values()) this.#channels.payClaimed(context, config, lanes);
    return results;
  }

  #balanceOf(context: ReadContext, id: Uint8Array, known: Map<string, RunningBalance>): RunningBalance {
    const text = toHex(id);
    const running = known.get(text);
    if (running !== undefined) return running;
    const { deposited, claimed } = this.#channels.balance(context, id) ?? ChannelBalance.create();
    const read = { id, deposited: BigInt(deposited), claimed: BigInt(claimed) };
    known.set(text, read);
    return read;
  }

  #payRow(context: Context, { row, open }: GoodRow, balance: RunningBalance): PaidRow {
    const { lane } = row.voucher;
    const before = this.#state.lanes.get(context, [open.id, lane]) ?? 0n;
    const wanted = row.total - before;
    const nothing = { from: before, to: before };
    if (wanted <= 0n) return { outcome: ClaimOutcome.CLAIM_OUTCOME_NOTHING_NEW, ...nothing };
    const room = balance.deposited - balance.claimed;
    if (room === 0n) return { outcome: ClaimOutcome.CLAIM_OUTCOME_DEPOSIT_EMPTY, ...nothing };
    const paid = wanted < room ? wanted : room;
    const claimed = before + paid;
    this.#state.lanes.set(context, [open.id, lane], claimed);
    balance.claimed += paid;
    context.emit(voucherClaimed({ channelId: open.id, lane, paid, claimed }));
    const isAll = paid === wanted;
    const outcome = isAll ? ClaimOutcome.CLAIM_OUTCOME_PAID : ClaimOutcome.CLAIM_OUTCOME_PAID_IN_PART;
    return { outcome, from: before, to: claimed };
  }
}

function isGood(planned: PlannedRow): planned is GoodRow {
  return 'key' in planned;
}

/** A voucher as its payer signed it. */
function signedVoucher({ row, open, key }: GoodRow, chainId: string): SignedStatement {
  const { voucher, form, signature } = row;
  const { denom } = open.channel.config;
  return {
    statement: { bytes: voucherBytes(voucher, chainId), text: voucherText(voucher, { chainId, denom }) },
    form,
    key: keyOf(key),
    signature,
  };
}
