/**
 * Payers and a payee with the real library, the real modules, a network that drops, repeats and reorders, and
 * disks that crash at any operation. What must hold is looked at when a channel ends:
 *
 * | property             | as a statement                                                              |
 * | -------------------- | --------------------------------------------------------------------------- |
 * | no unpaid service    | what left the payee on the channel ≤ what the chain paid it                 |
 * | no double charge     | what the chain paid ≤ the sum, over requests, of the most that was charged  |
 * | no more than signed  | what the chain paid ≤ what the payer counts as signed for; ≤ the deposit    |
 * | no paid-and-denied   | after a time without faults, what was charged was answered (honest payers)  |
 * | claims in time count | no row of the payee's own claims fails the message                          |
 */
import { toHex } from '../../core/bytes.ts';
import { LedgerError } from '../../core/errors.ts';
import type { Acceptance, LaneSnapshot } from '../../client/vouchers/payee.ts';
import { signVoucher, type SignedVoucher } from '../../client/vouchers/signatures.ts';
import type { VoucherContent } from '../../modules/channels/format/voucher.ts';
import * as wire from '../../proto/gen/openledger/channels/v1/tx.ts';
import { Random } from '../operations/random.ts';
import { sessionSigner } from '../support/channels.ts';
import { ModuleChain, type Ran } from './chain.ts';
import {
  type Faults,
  isCrash,
  librarySigner,
  LANES_USED,
  MIRROR_AGE_MAX,
  PayeeParty,
  PayerParty,
  RECEIVER_ACCOUNT,
  RECEIVER_SIGNER,
  type Wanted,
} from './parties.ts';

/** What is under way between the parties. */
type Letter = { readonly party: PayerParty; readonly channel: string; readonly signed: SignedVoucher } & (
  | { readonly kind: 'voucher'; readonly resource: Uint8Array; readonly ceiling: bigint }
  | { readonly kind: 'link'; readonly preimage: Uint8Array }
  | { readonly kind: 'go-on'; readonly index: number }
  | { readonly kind: 'answer'; readonly charged: bigint }
  | { readonly kind: 'corrective'; readonly lane: LaneSnapshot }
  | { readonly kind: 'refused'; readonly reason: string }
);

/** A request that the payee serves. */
interface Job {
  readonly party: PayerParty;
  readonly signed: SignedVoucher;
  readonly wanted: Wanted;
  index: number;
}

/** How a run is made. */
export interface FuzzOptions {
  readonly seed: number;
  readonly steps: number;
  readonly faults?: Faults;
}

/** What a run has found. */
export interface FuzzResult {
  readonly violations: readonly string[];
  readonly counts: ReadonlyMap<string, number>;
}

/** A property did not hold. */
class Violation extends Error {}

const LETTERS_MAX = 60;
const ROWS_KEPT = 40;

/** See the file comment. */
export class Fuzz {
  readonly #random: Random;
  readonly #chain: ModuleChain;
  readonly #payee: PayeeParty;
  readonly #payers: readonly PayerParty[];
  readonly #counts = new Map<string, number>();
  #letters: Letter[] = [];
  #jobs: Job[] = [];
  #oldRows: wire.ClaimRow[] = [];
  #observedAt = 0;
  #isQuiet = false;

  constructor({ seed, faults = {} }: FuzzOptions) {
    this.#random = new Random(seed);
    const [random, chainId] = [this.#random, 'test-chain-1'];
    this.#payers = ['fuzz a', 'fuzz b', 'fuzz c'].map(
      (name, i) => new PayerParty(name, { random, faults, chainId, isRogue: i === 2 }),
    );
    const accounts = [...this.#payers.map(({ account }) => account.address), RECEIVER_ACCOUNT.address];
    this.#chain = new ModuleChain(accounts);
    this.#payee = new PayeeParty(random, faults, { now: () => this.#chain.now, chainId });
  }

  /** Runs so many steps, or to the first violation. */
  async run(steps: number): Promise<FuzzResult> {
    try {
      await this.#payee.start();
      for (const party of this.#payers) await this.#openChannel(party);
      for (let i = 0; i < steps; i++) {
        await this.#step();
        if (i % 5_000 === 0) this.#expect(this.#chain.broken().length === 0, this.#chain.broken().join());
      }
      for (const party of this.#payers) await this.#endChannel(party);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      return { violations: [error.message], counts: this.#counts };
    }
    return { violations: [], counts: this.#counts };
  }

  async #step(): Promise<void> {
    const party = this.#random.pick(this.#payers);
    const action = this.#random.weighted<() => Promise<void> | void>([
      { weight: 30, value: () => this.#payerAsks(party) },
      { weight: 60, value: () => this.#deliver() },
      { weight: 25, value: () => this.#finishJob() },
      { weight: 8, value: () => this.#payerRepeats(party) },
      { weight: 4, value: () => this.#tick() },
      { weight: 2, value: () => this.#claimAll() },
      { weight: 2, value: () => this.#replayRows() },
      { weight: 1, value: () => this.#topUp(party) },
      { weight: 1, value: () => this.#rotate(party) },
      { weight: 3, value: () => this.#arm(party) },
      { weight: 5, value: () => this.#cheat(party) },
      { weight: 1, value: () => this.#maybeEnd(party) },
    ]);
    await action();
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  #expect(holds: boolean, problem: string): void {
    if (!holds) throw new Violation(problem);
  }

  // -- crashes ---------------------------------------------------------------------------------------------

  #arm({ disk }: PayerParty): void {
    if (this.#isQuiet) return;
    (this.#random.oneIn(2) ? disk : this.#payee.disk).arm(this.#random.between(1, 6));
  }

  /** Runs a step of the payee; after a crash it comes back from its disk, and its requests are lost. */
  async #asPayee<T>(run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      if (!isCrash(error)) throw error;
      this.#count('payee crashes');
      this.#payee.disk.crash();
      this.#jobs = [];
      await this.#payee.start();
      this.#observe();
      return undefined;
    }
  }

  async #asPayer<T>(party: PayerParty, run: () => Promise<T>): Promise<T | undefined> {
    try {
      return await run();
    } catch (error) {
      if (error instanceof LedgerError && error.code === 'vouchers.overcharge') {
        // Whoever signs behind the library's back hears of charges that the library knows nothing of.
        this.#expect(
          party.isRogue,
          `an honest payer is told of a charge that it has not signed: ${error.message}`,
        );
        return undefined;
      }
      if (!isCrash(error)) throw error;
      this.#count('payer crashes');
      party.disk.crash();
      await party.start();
      return undefined;
    }
  }

  // -- the payer -------------------------------------------------------------------------------------------

  async #payerAsks(party: PayerParty): Promise<void> {
    if (!party.isOpen || party.isWithdrawing) return;
    const lane = party.payer.takeLane();
    if (lane === undefined) return;
    const ceiling = BigInt(this.#random.between(1, 60));
    const links = this.#random.between(1, 8);
    const unit = BigInt(this.#random.between(1, 4));
    const isStream = this.#random.oneIn(3) && unit * BigInt(links) <= ceiling;
    const wanted = party.want(ceiling, isStream ? { unit, links } : undefined);
    await this.#sign(party, lane, wanted);
  }

  async #sign(party: PayerParty, lane: number, wanted: Wanted): Promise<void> {
    const { resource, ceiling, stream } = wanted;
    const request = { resource, ceiling, ...(stream === undefined ? {} : { stream }) };
    const signed = await this.#asPayer(party, async () => {
      try {
        return await party.payer.sign(lane, request);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.includes('does not cover')) throw error;
        this.#count('deposit is used up');
        return undefined;
      }
    });
    if (signed === undefined) {
      wanted.isGivenUp = true;
      party.payer.releaseLane(lane);
      return;
    }
    this.#count('vouchers signed');
    this.#send({ ...this.#to(party, signed), kind: 'voucher', resource, ceiling });
  }

  /** Sends again what was not answered; seldom does something else instead, as impatient people do. */
  async #payerRepeats(party: PayerParty): Promise<void> {
    const signed = this.#random.some(party.isOpen ? party.payer.pending() : []);
    const wanted = signed === undefined ? undefined : party.wantedOf(signed);
    if (signed === undefined || wanted === undefined) return;
    if (!this.#isQuiet && this.#random.oneIn(12) && !party.isWithdrawing) {
      wanted.isGivenUp = true;
      await this.#sign(
        party,
        signed.voucher.lane,
        party.want(BigInt(this.#random.between(1, 60)), undefined),
      );
      return;
    }
    const { resource, ceiling } = wanted;
    this.#send({ ...this.#to(party, signed), kind: 'voucher', resource, ceiling });
  }

  async #payerReads(letter: Letter): Promise<void> {
    const { party, signed } = letter;
    const { payer } = party;
    const { lane } = signed.voucher;
    switch (letter.kind) {
      case 'answer': {
        const wanted = party.wantedOf(signed);
        await this.#asPayer(party, () => payer.answered(signed, letter.charged));
        if (wanted !== undefined) wanted.isAnswered = true;
        payer.releaseLane(lane);
        return;
      }
      case 'corrective': {
        const outcome = await this.#asPayer(party, () => payer.corrected(signed, letter.lane));
        payer.releaseLane(lane);
        const wanted = party.wantedOf(signed);
        this.#count(`corrective: ${outcome ?? 'crash'}`);
        if (outcome === 'sign-again' && wanted !== undefined && party.isOpen)
          await this.#signAnew(party, lane, wanted);
        return;
      }
      case 'go-on': {
        const links = payer.pending().some((one) => one === signed || one.signature === signed.signature)
          ? payer.links(lane)
          : this.#linksOf(party, signed);
        const preimage = links[letter.index];
        if (preimage !== undefined) this.#send({ ...this.#to(party, signed), kind: 'link', preimage });
        return;
      }
      case 'refused':
        await this.#refusedPayer(letter.reason, party, signed);
        return;
      case 'voucher':
      case 'link':
        return;
    }
  }

  #linksOf(party: PayerParty, signed: SignedVoucher): readonly Uint8Array[] {
    const isPending = party.payer
      .pending()
      .some(({ signature }) => toHex(signature) === toHex(signed.signature));
    return isPending ? party.payer.links(signed.voucher.lane) : [];
  }

  /** A voucher of a key that was rotated meanwhile is signed anew; everything else waits. */
  async #refusedPayer(reason: string, party: PayerParty, signed: SignedVoucher): Promise<void> {
    const wanted = party.wantedOf(signed);
    if (reason !== 'wrong_key_version' || wanted === undefined || party.isWithdrawing) return;
    const isPending = party.payer.pending().some((one) => toHex(one.signature) === toHex(signed.signature));
    if (isPending && signed.voucher.keyVersion < party.keyVersion)
      await this.#signAnew(party, signed.voucher.lane, wanted);
  }

  /** The same request under another voucher; of a stream, parts of which may have been paid for, the rest. */
  async #signAnew(party: PayerParty, lane: number, wanted: Wanted): Promise<void> {
    if (wanted.stream !== undefined) wanted.isGivenUp = true;
    const next = wanted.stream === undefined ? wanted : party.want(wanted.ceiling, wanted.stream);
    await this.#sign(party, lane, next);
  }

  // -- the network -----------------------------------------------------------------------------------------

  #to(party: PayerParty, signed: SignedVoucher): Pick<Letter, 'party' | 'channel' | 'signed'> {
    return { party, channel: toHex(party.id), signed };
  }

  #send(letter: Letter): void {
    if (this.#letters.length < LETTERS_MAX) this.#letters.push(letter);
  }

  /** Any letter, not the first; some are lost, some come again. */
  async #deliver(): Promise<void> {
    if (this.#letters.length === 0) return;
    const at = this.#random.below(this.#letters.length);
    const letter = this.#letters[at];
    if (letter === undefined) return;
    const [isLost, isRepeated] = this.#isQuiet
      ? [false, false]
      : [this.#random.oneIn(8), this.#random.oneIn(8)];
    if (!isRepeated) this.#letters.splice(at, 1);
    if (isLost || letter.channel !== toHex(letter.party.id)) return;
    if (letter.kind === 'voucher') await this.#payeeTakes(letter);
    else if (letter.kind === 'link') await this.#payeeLinks(letter);
    else await this.#payerReads(letter);
  }

  // -- the payee -------------------------------------------------------------------------------------------

  async #payeeTakes(letter: Extract<Letter, { readonly kind: 'voucher' }>): Promise<void> {
    const { party, signed, resource, ceiling } = letter;
    const offer = { resource, ceilingMin: ceiling };
    const accepted: Acceptance | undefined = await this.#asPayee(() =>
      this.#payee.payee.accept(signed, offer),
    );
    if (accepted === undefined) return;
    const wanted = party.wanted.get(toHex(resource));
    const back = this.#to(party, signed);
    this.#count(accepted.kind === 'refused' ? `refused: ${accepted.reason}` : accepted.kind);
    switch (accepted.kind) {
      case 'serve': {
        this.#expect(wanted !== undefined, 'a voucher is taken for a request that nobody has made');
        if (wanted === undefined) return;
        this.#jobs.push({ party, signed, wanted, index: accepted.linkIndex });
        if (wanted.stream !== undefined) this.#send({ ...back, kind: 'go-on', index: accepted.linkIndex });
        return;
      }
      case 'settled':
        if (wanted !== undefined) wanted.isCharged = true;
        this.#send({ ...back, kind: 'answer', charged: accepted.charged });
        return;
      case 'corrective':
        this.#send({ ...back, kind: 'corrective', lane: accepted.lane });
        return;
      case 'refused':
        this.#send({ ...back, kind: 'refused', reason: accepted.reason });
    }
  }

  /** A link pays for the next part of a stream, which leaves when the link is taken. */
  async #payeeLinks({ party, signed, preimage }: Extract<Letter, { readonly kind: 'link' }>): Promise<void> {
    const job = this.#jobs.find((one) => one.signed === signed && one.party === party);
    const unit = job?.wanted.stream?.unit;
    if (job === undefined || unit === undefined) return;
    const { channelId, lane } = signed.voucher;
    raise(job.wanted, BigInt(job.index + 1) * unit);
    const index = await this.#asPayee(() => this.#payee.payee.link(channelId, lane, preimage));
    if (index === undefined) return;
    this.#count('links');
    job.index = index;
    job.wanted.served = larger(job.wanted.served, BigInt(index) * unit);
    this.#send({ ...this.#to(party, signed), kind: 'go-on', index });
  }

  async #finishJob(job: Job | undefined = this.#random.some(this.#jobs)): Promise<void> {
    // A crash has taken it.
    if (job === undefined || !this.#jobs.includes(job)) return;
    this.#jobs = this.#jobs.filter((one) => one !== job);
    const { party, signed, wanted, index } = job;
    const { channelId, lane, ceiling, hashChain } = signed.voucher;
    if (this.#random.oneIn(6)) {
      this.#count('abandoned');
      this.#payee.payee.abandon(channelId, lane);
      return;
    }
    const inLinks = BigInt(hashChain?.links ?? 0) * (hashChain?.unit ?? 0n);
    const shown = BigInt(index) * (hashChain?.unit ?? 0n);
    const charge = shown + BigInt(this.#random.below(Number(ceiling - inLinks) + 1));
    raise(wanted, charge);
    const settled = await this.#asPayee(() => this.#payee.payee.settle(channelId, lane, charge));
    if (settled === undefined) return;
    this.#count('charged');
    wanted.isCharged = true;
    wanted.served = larger(wanted.served, charge);
    this.#send({ ...this.#to(party, signed), kind: 'answer', charged: settled.charged });
  }

  /** The payee looks at the chain, at the latest when what it knows is old. */
  #observe(): void {
    this.#observedAt = this.#chain.now;
    for (const party of this.#payers) {
      const mirror = this.#chain.mirror(party.id);
      if (mirror === undefined) this.#payee.payee.forget(party.id);
      else this.#payee.payee.observe(mirror);
    }
    for (const id of this.#payee.payee.urgent()) this.#claim([id]);
  }

  /** Nothing is served for longer than a key or a channel has left: it ends when the payee sees that. */
  async #lookAndFinish(): Promise<void> {
    this.#observe();
    const ending = this.#jobs.filter(
      ({ party, signed }) => party.isWithdrawing || signed.voucher.keyVersion < party.keyVersion,
    );
    for (const job of ending) await this.#finishJob(job);
    if (ending.length > 0) this.#observe();
  }

  async #tick(): Promise<void> {
    this.#chain.tick(this.#random.between(1, 9));
    const isOld = this.#chain.now - this.#observedAt > MIRROR_AGE_MAX / 2;
    if (isOld || this.#random.oneIn(2)) await this.#lookAndFinish();
  }

  #claimAll(): void {
    this.#observe();
    this.#claim(undefined);
  }

  #claim(ids: readonly Uint8Array[] | undefined): void {
    const rows = this.#payee.payee.claims(ids);
    if (rows.length === 0) return;
    const ran = this.#claimRows(rows);
    this.#expect('response' in ran, `the payee’s own claim fails: ${'log' in ran ? ran.log : ''}`);
    this.#count('claims');
    this.#oldRows = [...this.#oldRows, ...rows].slice(-ROWS_KEPT);
    if (!('response' in ran)) return;
    for (const { outcome } of wire.MsgClaimVouchersResponse.decode(ran.response).results)
      this.#expect(
        outcome !== wire.ClaimOutcome.CLAIM_OUTCOME_KEY_RETIRED &&
          outcome !== wire.ClaimOutcome.CLAIM_OUTCOME_PAID_IN_PART &&
          outcome !== wire.ClaimOutcome.CLAIM_OUTCOME_DEPOSIT_EMPTY,
        `a claim in time brings nothing: outcome ${outcome}`,
      );
  }

  #claimRows(rows: readonly wire.ClaimRow[]): Ran {
    return this.#chain.run(wire.MsgClaimVouchers, { claimer: RECEIVER_ACCOUNT.address, rows });
  }

  // -- attacks on the chain --------------------------------------------------------------------------------

  /** Rows of before, once more: as they were, for more than the voucher says, and for other channels. */
  #replayRows(): void {
    const row = this.#random.some(this.#oldRows);
    if (row === undefined) return;
    this.#count('rows replayed');
    this.#claimRows([row]);
    const { cumulative, hashChain } = row.voucher;
    const most = BigInt(cumulative) + BigInt(row.preimageIndex) * BigInt(hashChain?.unit ?? 0);
    this.#mustFail(this.#claimRows([{ ...row, total: `${most + 1n}` }]), 'a claim above the voucher');
    const other = this.#random.pick(this.#payers);
    if (!other.isOpen || toHex(other.id) === toHex(row.voucher.channelId)) return;
    const { keyVersion } = other;
    const moved = { ...row, voucher: { ...row.voucher, channelId: other.id, keyVersion } };
    this.#mustFail(this.#claimRows([moved]), 'a voucher of another channel');
    const lane = (row.voucher.lane + 1) % LANES_USED;
    const shifted = { ...row, voucher: { ...row.voucher, lane } };
    const ran = this.#claimRows([shifted]);
    if ('response' in ran)
      for (const { paid } of wire.MsgClaimVouchersResponse.decode(ran.response).results)
        this.#expect(paid === '0', 'a voucher of another lane is paid');
  }

  #mustFail(ran: Ran, what: string): void {
    const isPaid =
      'response' in ran &&
      wire.MsgClaimVouchersResponse.decode(ran.response).results.some(({ paid }) => paid !== '0');
    this.#expect(!isPaid, `${what} is paid`);
  }

  // -- attacks on the payee --------------------------------------------------------------------------------

  /** Vouchers made behind the library's back, by a key that is right: other chains, channels, requests, bases. */
  async #cheat(party: PayerParty): Promise<void> {
    if (!party.isOpen) return;
    const last = this.#random.some(party.payer.pending());
    const resource = this.#random.bytes(32);
    const lane = this.#random.below(LANES_USED);
    const voucher: VoucherContent = {
      channelId: party.id,
      lane,
      keyVersion: party.keyVersion,
      cumulative: BigInt(this.#random.below(80)),
      ceiling: 0n,
      resource,
      hashChain: undefined,
    };
    const full = { ...voucher, ceiling: voucher.cumulative };
    if (party.isRogue && this.#random.oneIn(2)) return this.#cheatWith(party, full);
    // What no payer can have signed for: nothing of it may be taken. A resource that nobody wants shows if it is.
    const domain = { chainId: 'test-chain-2', denom: 'uopen' };
    const foreign = await signVoucher(full, domain, librarySigner(party.signer));
    const forged = await signVoucher(
      full,
      { ...domain, chainId: 'test-chain-1' },
      librarySigner(sessionSigner('thief')),
    );
    const other = this.#random.pick(this.#payers);
    const stolen =
      last === undefined ? forged : { ...last, voucher: { ...last.voucher, channelId: other.id } };
    const signed = this.#random.pick([foreign, forged, ...(other === party ? [] : [stolen])]);
    const at = signed === stolen ? other : party;
    const taken = await this.#asPayee(() =>
      this.#payee.payee.accept(signed, { resource: signed.voucher.resource, ceilingMin: 0n }),
    );
    this.#count('forgeries');
    this.#expect(taken?.kind !== 'serve', `a voucher is taken that was not signed for ${toHex(at.id)}`);
    // A voucher that is right, for another request than it was signed for.
    if (last !== undefined) {
      const crossed = await this.#asPayee(() => this.#payee.payee.accept(last, { resource, ceilingMin: 0n }));
      this.#expect(crossed?.kind !== 'serve', 'a voucher is taken for another request');
    }
  }

  /** The payer's own voucher, with whatever base; the request is real, so that what it is served counts. */
  async #cheatWith(party: PayerParty, full: VoucherContent): Promise<void> {
    const mirror = this.#chain.mirror(party.id);
    const charged = BigInt(mirror?.lanes.find(({ lane }) => lane === full.lane)?.claimed ?? '0');
    const wanted = party.want(BigInt(this.#random.between(1, 60)), undefined);
    wanted.isGivenUp = true;
    const base = this.#random.oneIn(3) ? charged : BigInt(this.#random.below(200));
    const { resource, ceiling } = wanted;
    const voucher = { ...full, resource, ceiling, cumulative: base + ceiling };
    const domain = { chainId: 'test-chain-1', denom: 'uopen' };
    const signed = await signVoucher(voucher, domain, librarySigner(party.signer));
    this.#count('rogue vouchers');
    this.#send({ ...this.#to(party, signed), kind: 'voucher', resource, ceiling });
  }

  // -- channels --------------------------------------------------------------------------------------------

  async #openChannel(party: PayerParty): Promise<void> {
    // A deposit may be dust.
    party.deposited = BigInt(
      this.#random.oneIn(6) ? this.#random.between(1, 30) : this.#random.between(200, 900),
    );
    await party.newChannel(this.#chain.block.time.seconds);
    const opened = this.#chain.run(wire.MsgOpenChannel, {
      config: party.config,
      deposit: `${party.deposited}`,
    });
    this.#expect('response' in opened, `a channel is not opened: ${'log' in opened ? opened.log : ''}`);
    party.isOpen = true;
    this.#count('channels opened');
    this.#observe();
  }

  #topUp(party: PayerParty): void {
    if (!party.isOpen || party.isWithdrawing) return;
    const amount = BigInt(this.#random.between(1, 400));
    const message = {
      sender: party.account.address,
      channelId: party.id,
      amount: { denom: 'uopen', amount: `${amount}` },
    };
    const ran = this.#chain.run(wire.MsgTopUpChannel, message);
    this.#expect('response' in ran, 'a top-up is refused');
    party.deposited += amount;
    party.payer.update({ deposited: party.deposited });
  }

  #rotate(party: PayerParty): void {
    if (!party.isOpen) return;
    const signer = sessionSigner(`${toHex(party.id)} ${party.keyVersion + 1}`);
    const message = { payer: party.account.address, channelId: party.id, payerAuthorizer: signer.key };
    if (!('response' in this.#chain.run(wire.MsgRotateKey, message))) return;
    this.#count('rotations');
    party.rotated(signer);
  }

  async #maybeEnd(party: PayerParty): Promise<void> {
    if (this.#random.oneIn(4)) await this.#endChannel(party);
  }

  /** Ends a channel, by agreement or by a withdrawal, looks at all that must hold, and opens another. */
  async #endChannel(party: PayerParty): Promise<void> {
    const isQuiet = this.#random.oneIn(2);
    if (isQuiet) await this.#settleDown(party);
    const mirror = this.#chain.mirror(party.id);
    if (mirror === undefined) throw new RangeError('the channel is not there');
    const isAgreed = this.#random.oneIn(2) && (await this.#closeByAgreement(party));
    if (!isAgreed) await this.#withdraw(party);
    party.isOpen = false;
    this.#judge(party, isQuiet);
    const again = this.#chain.run(wire.MsgOpenChannel, { config: party.config, deposit: '50' });
    this.#expect(!('response' in again), 'an id is used twice');
    await this.#openChannel(party);
  }

  #paid = new Map<string, bigint>();

  async #closeByAgreement(party: PayerParty): Promise<boolean> {
    const closeBefore = this.#chain.block.time.seconds + 30n;
    const { id: channelId, keyVersion } = party;
    this.#observe();
    for (const job of this.#jobs.filter((one) => one.party === party)) await this.#finishJob(job);
    const before = this.#chain.mirror(channelId);
    const agreement = { channelId, keyVersion, total: party.payer.charged, closeBefore };
    const due = BigInt(before?.record.balance.claimed ?? '0');
    if (agreement.total < due) return false;
    const signature = await this.#asPayee(() =>
      this.#payee.payee.consent(agreement, librarySigner(RECEIVER_SIGNER)),
    );
    if (signature === undefined) return false;
    this.#count('agreements');
    // Between consent and close the payer may go on: a stale close must not cost the payee anything.
    for (let i = this.#random.below(12); i > 0 && !this.#isQuiet; i--) {
      const step = this.#random.pick([
        () => this.#payerAsks(party),
        () => this.#deliver(),
        () => this.#finishJob(),
      ]);
      await step();
    }
    const message = {
      sender: party.account.address,
      channelId,
      total: `${agreement.total}`,
      closeBefore,
      consent: { signature, form: 0 },
    };
    const ran = this.#chain.run(wire.MsgCloseChannel, message);
    if (!('response' in ran)) return false;
    const { paid } = wire.MsgCloseChannelResponse.decode(ran.response);
    const claimed = BigInt(this.#lastClaimed(before));
    this.#paid.set(toHex(channelId), claimed + BigInt(paid));
    return true;
  }

  #lastClaimed(mirror: ReturnType<ModuleChain['mirror']>): string {
    return mirror?.record.balance.claimed ?? '0';
  }

  async #withdraw(party: PayerParty): Promise<void> {
    const message = { payer: party.account.address, channelId: party.id };
    const started = this.#chain.run(wire.MsgInitiateWithdrawal, message);
    this.#expect('response' in started, 'a withdrawal is refused');
    party.isWithdrawing = true;
    for (let i = 0; ; i++) {
      await this.#tick();
      // The payee ends what it serves when it sees the withdrawal, and then takes nothing more.
      if (i === 2 || this.#random.oneIn(3)) {
        await this.#lookAndFinish();
      }
      if (this.#random.oneIn(2)) await this.#payerRepeats(party);
      await this.#deliver();
      if (this.#random.oneIn(2)) await this.#finishJob();
      const claimed = this.#lastClaimed(this.#chain.mirror(party.id));
      if ('response' in this.#chain.run(wire.MsgFinalizeWithdrawal, message)) {
        this.#paid.set(toHex(party.id), BigInt(claimed));
        return;
      }
    }
  }

  /** No faults for a while: everything that is open is asked for until it is answered. */
  async #settleDown(party: PayerParty): Promise<void> {
    this.#isQuiet = true;
    party.disk.arm(Number.POSITIVE_INFINITY);
    this.#payee.disk.arm(Number.POSITIVE_INFINITY);
    for (let i = 0; i < 400; i++) {
      this.#observe();
      if (party.payer.pending().length === 0 && this.#letters.length === 0 && this.#jobs.length === 0) break;
      if (this.#letters.length > 0) await this.#deliver();
      else if (this.#jobs.length > 0) await this.#finishJob();
      else await this.#payerRepeats(party);
    }
    this.#isQuiet = false;
  }

  #judge(party: PayerParty, isQuiet: boolean): void {
    const paid = this.#paid.get(toHex(party.id)) ?? 0n;
    this.#paid.delete(toHex(party.id));
    const all = [...party.wanted.values()];
    const served = all.reduce((sum, one) => sum + one.served, 0n);
    const charged = all.reduce((sum, one) => sum + one.mostCharged, 0n);
    const name = `channel ${toHex(party.id).slice(0, 8)} of ${party.isRogue ? 'a rogue' : 'an honest payer'}`;
    this.#expect(served <= paid, `${name}: unpaid service: ${served} were served, ${paid} paid`);
    this.#expect(paid <= charged, `${name}: double charge: ${paid} were paid, ${charged} charged`);
    this.#expect(paid <= party.deposited, `${name}: ${paid} were paid of ${party.deposited}`);
    if (!party.isRogue)
      this.#expect(
        paid <= party.payer.exposure,
        `${name}: ${paid} were paid, ${party.payer.exposure} signed for`,
      );
    this.#count('channels ended');
    if (party.isRogue || !isQuiet) return;
    const denied = all.filter(
      (one) => one.isCharged && !one.isAnswered && !one.isGivenUp && one.mostCharged > 0n,
    );
    this.#count('channels ended after a quiet time');
    this.#expect(denied.length === 0, `${name}: ${denied.length} requests were charged and not answered`);
  }
}

/** A charge that may have been written. */
function raise(wanted: Wanted, charge: bigint): void {
  wanted.mostCharged = larger(wanted.mostCharged, charge);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Runs one campaign. */
export async function fuzzChannels(options: FuzzOptions): Promise<FuzzResult> {
  return new Fuzz(options).run(options.steps);
}
