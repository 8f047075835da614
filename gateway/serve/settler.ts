/**
 * Claims what was charged, and states what was claimed. Each step begins from what the chain shows, so a
 * crash between two of them costs a look at the chain:
 *
 * | step | before it | after a crash |
 * | --- | --- | --- |
 * | claim | charges are on the disk | claimed again: what was claimed brings nothing |
 * | build | the round's lanes are on the chain | built again from the same receipts |
 * | state | the epoch's file is on the disk | the chain names the round's epoch, and the file is its |
 * | drop | the chain has the epoch | dropped at the next look |
 *
 * One of its kind for a gateway: claims that come between build and state make the chain refuse the epoch,
 * and it is built anew.
 */
import { equalBytes, toHex } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
import { type ChannelMirror, claimedOn } from '../../client/vouchers/mirror.ts';
import type { Payee } from '../../client/vouchers/payee.ts';
import type { ClaimRow } from '../../proto/gen/openledger/channels/v1/tx.ts';
import { EpochCommitment } from '../../proto/gen/openledger/settlement/v1/epoch.ts';
import type { Round } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import type { PackedLeaves } from '../epochs/packed.ts';
import type { PublishedEpoch } from '../epochs/published.ts';
import { RequestAnswerer } from './answer-requests.ts';
import { type KeptEpochs, lanesOfEpoch } from './kept-epochs.ts';
import { LostCharges } from './lost-charges.ts';
import type { GatewayLogger, SettlementChain } from './ports.ts';
import type { ReceiptLog } from './receipt-log.ts';
import { coverLanes } from './round-receipts.ts';
import { takeTurns, type Transactions } from './take-turns.ts';

/**
 * Transactions of each kind that a round sends for what has a deadline, before it goes on to what has none:
 * the next round sends the rest.
 */
const DEADLINE_TURNS_MAX = 32;

/** What settling is made of. */
export interface SettlerPorts {
  readonly chain: SettlementChain;
  readonly payee: Payee;
  readonly receipts: ReceiptLog;
  readonly epochs: KeptEpochs;
  readonly logger: GatewayLogger;
}

/** When it claims and settles by itself. */
export interface SettlerOptions {
  /** Rows of one message. */
  readonly claimRowsMax: number;
  /** Claims when so much is unclaimed; urgent channels at once. */
  readonly claimMin: bigint;
  /** States a round when it holds so much. */
  readonly settleMin: bigint;
  /**
   * States a round of which a part has no receipts here. The gateway has signed receipts of it, unless it was
   * claimed by something else: whoever shows one of them convicts the epoch, and the bond is lost.
   */
  readonly stateUncovered: boolean;
}

/** A round that was stated. */
export interface StatedEpoch {
  readonly epochId: bigint;
  readonly round: Round;
  readonly epoch: PublishedEpoch;
}

/** See the file comment. */
export class Settler {
  readonly #ports: SettlerPorts;
  readonly #options: SettlerOptions;
  readonly #answerer: RequestAnswerer;
  readonly #lost: LostCharges;
  #mirrors: readonly ChannelMirror[] = [];
  /** Rounds that wait, as receipts of a part are missing. */
  readonly #held = new Set<bigint>();

  constructor(ports: SettlerPorts, options: SettlerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#answerer = new RequestAnswerer(ports);
    this.#lost = new LostCharges(ports);
  }

  /** One look: again and again, far more often than a withdrawal takes. Rejects when no node answers. */
  async round(): Promise<void> {
    await this.observe();
    // First what has a deadline: who asks for much on the chain does not delay claims, nor the other way round.
    await takeTurns([this.#answerer.transactions(), this.#claimUrgent()], DEADLINE_TURNS_MAX);
    if (this.unclaimed >= this.#options.claimMin) await this.claim();
    await this.reconcile();
    await this.settle(this.#options.settleMin);
  }

  /** Tells the payee what the chain shows. */
  async observe(): Promise<void> {
    const { chain, payee } = this.#ports;
    const mirrors = await chain.mirrors();
    const there = new Set(mirrors.map(({ record }) => toHex(record.id)));
    for (const { record } of this.#mirrors) if (!there.has(toHex(record.id))) payee.forget(record.id);
    for (const mirror of mirrors) payee.observe(mirror);
    this.#mirrors = mirrors;
    this.#lost.look();
  }

  /** What was charged, and the chain has not seen claimed. */
  get unclaimed(): bigint {
    const mirrors = new Map(this.#mirrors.map((mirror) => [toHex(mirror.record.id), mirror]));
    return this.#ports.payee.claims().reduce((sum, { voucher, total }) => {
      const mirror = mirrors.get(toHex(voucher.channelId));
      return mirror === undefined ? sum : sum + BigInt(total) - claimedOn(mirror, voucher.lane);
    }, 0n);
  }

  /** Claims all that can be claimed, or that of some channels; the rows. */
  async claim(channelIds?: readonly Uint8Array[]): Promise<readonly ClaimRow[]> {
    const rows = this.#ports.payee.claims(channelIds);
    await takeTurns([this.#claimRows(rows)], Number.POSITIVE_INFINITY);
    return rows;
  }

  /** Claims from channels whose time ends, the first to end first. */
  async *#claimUrgent(): Transactions {
    const { payee } = this.#ports;
    yield* this.#claimRows(payee.claims(payee.urgent()));
  }

  async *#claimRows(rows: readonly ClaimRow[]): Transactions {
    const { chain, logger } = this.#ports;
    if (rows.length === 0) return;
    for (let at = 0; at < rows.length; at += this.#options.claimRowsMax) {
      await chain.claimVouchers(rows.slice(at, at + this.#options.claimRowsMax));
      yield;
    }
    logger.info({ rows: rows.length }, 'vouchers were claimed');
    await this.observe();
  }

  /** Notes what the chain made of rounds that were built. */
  async reconcile(): Promise<void> {
    const { chain, epochs, logger } = this.#ports;
    for (const round of await chain.rounds()) {
      const kept = epochs.round(round.id);
      const wasStated = kept?.state === 'stated' || kept?.state === 'dropped';
      if (round.epochId > 0n && !wasStated) await this.#adopt(round);
      if (round.epochId > 0n || !wasStated) continue;
      // A node that is behind shows the round as it was before.
      if ((await chain.epoch(kept.epochId)) !== undefined) continue;
      await epochs.note({ ...kept, state: 'convicted' });
      logger.error(
        { round: round.id, epoch: kept.epochId },
        'an epoch was convicted, and its bond is lost; its round is not stated again before somebody has found out why',
      );
    }
    await this.#drop();
  }

  /** Rounds that are not stated, as receipts of a part of what was claimed are missing. */
  get heldRounds(): number {
    return this.#held.size;
  }

  /** Lanes whose receipts go on behind the journal of vouchers, as that was lost. */
  get lostLanes(): number {
    return this.#lost.lanes;
  }

  /** States rounds that hold so much, but for those whose epoch was convicted or whose receipts are missing. */
  async settle(least: bigint): Promise<readonly StatedEpoch[]> {
    const { chain, epochs, logger } = this.#ports;
    const stated: StatedEpoch[] = [];
    for (const round of await chain.rounds()) {
      const isConvicted = epochs.round(round.id)?.state === 'convicted';
      const claimed = BigInt(round.claimed);
      if (round.epochId > 0n || isConvicted || claimed === 0n || claimed < least) continue;
      const covered = await this.#cover(round);
      if (covered === undefined) continue;
      const epoch = await this.#build(covered);
      await epochs.keep(round.id, epoch);
      const epochId = await chain.settleEpoch(round.id, epoch.commitment);
      await epochs.note({ roundId: round.id, epochId, state: 'stated' });
      logger.info({ round: round.id, epoch: epochId, claimed }, 'an epoch was stated');
      stated.push({ epochId, round, epoch });
    }
    await this.#drop();
    return stated;
  }

  /** Receipts of a round; undefined when it has to wait, which is said once. */
  async #cover({ id: round }: Round): Promise<PackedLeaves | undefined> {
    const { chain, receipts, logger } = this.#ports;
    const lanes = await chain.lanes(round);
    const covered = await coverLanes(lanes, (interval) => receipts.within(interval));
    const facts = { round, amount: covered.uncovered };
    const isHeld = covered.uncovered > 0n && !this.#options.stateUncovered;
    if (!isHeld) this.#held.delete(round);
    else if (!this.#held.has(round)) {
      this.#held.add(round);
      logger.error(
        facts,
        'no receipts were kept of a part of what was claimed, and who holds one that was signed would convict ' +
          'an epoch without it: the round waits, until it is to be stated all the same (--state-uncovered)',
      );
    }
    if (isHeld) return undefined;
    if (covered.uncovered > 0n)
      logger.warn(
        facts,
        'no receipts were kept of a part of what was claimed: it goes to the platform, and the bond is lost ' +
          'if somebody shows one',
      );
    return covered.receipts;
  }

  async #build(covered: PackedLeaves): Promise<PublishedEpoch> {
    const { chain, receipts, epochs } = this.#ports;
    const { rowsMax } = await chain.params();
    const attribution = (hash: Uint8Array): Uint8Array | undefined => receipts.attribution(hash);
    return await epochs.build({ receipts: covered, attribution, rowsMax });
  }

  /**
   * The chain has an epoch of which this gateway was not told: it stopped before. Or it was told that the
   * epoch is gone, by a node that had not seen it yet.
   */
  async #adopt({ id, epochId }: Round): Promise<void> {
    const { chain, epochs, logger } = this.#ports;
    const onChain = await chain.epoch(epochId);
    if (onChain === undefined) return;
    try {
      const { commitment } = await epochs.ofRound(id);
      const [own, theirs] = [commitment, onChain.commitment].map((one) => EpochCommitment.encode(one));
      if (own !== undefined && theirs !== undefined && equalBytes(own, theirs))
        return await epochs.note({ roundId: id, epochId, state: 'stated' });
      logger.error(
        { round: id, epoch: epochId },
        'the chain has another epoch than the one that is kept here',
      );
    } catch (error) {
      logger.error({ round: id, epoch: epochId, error: messageOf(error) }, 'an epoch cannot be served');
    }
  }

  /** Receipts that the file of a stated epoch holds leave the log. */
  async #drop(): Promise<void> {
    const { epochs, receipts } = this.#ports;
    for (const kept of epochs.rounds()) {
      if (kept.state !== 'stated') continue;
      await receipts.forget(await lanesOfEpoch(await epochs.ofRound(kept.roundId)));
      await epochs.note({ ...kept, state: 'dropped' });
    }
  }
}
