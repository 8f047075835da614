/**
 * Millions of inferences from the first voucher to the last claim, in a few transactions of the real
 * application, and every unit of their fees looked for afterwards.
 */
import type { SignatureVerifier } from '../../../framework/tx/signature.ts';
import { buildEpoch } from '../../../gateway/epochs/build-epoch.ts';
import { allocationsOf, proveAllocation } from '../../../gateway/epochs/explain.ts';
import { findEpochFraud } from '../../../gateway/epochs/find-fraud.ts';
import type { PackedLeaves } from '../../../gateway/epochs/packed.ts';
import { openLeaves, type PublishedEpoch } from '../../../gateway/epochs/published.ts';
import { DEFAULT_PARAMS } from '../../../modules/settlement/params.ts';
import { verifyAllocation } from '../../../modules/settlement/proof/inclusion.ts';
import { MsgClaimVouchers } from '../../../proto/gen/openledger/channels/v1/tx.ts';
import {
  QuerySlotsByOwnerRequest,
  QuerySlotsByOwnerResponse,
} from '../../../proto/gen/openledger/pools/v1/query.ts';
import { MsgClaim } from '../../../proto/gen/openledger/pools/v1/tx.ts';
import { EpochState } from '../../../proto/gen/openledger/settlement/v1/settlement.ts';
import { MsgClaimEntitlement, MsgSettleEpoch } from '../../../proto/gen/openledger/settlement/v1/tx.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import { watchedChain } from '../../support/epochs.ts';
import { anyOf, plainVerifier, type TestAccount } from '../../support/test-chain.ts';
import { type Closing, closeChannels } from './closing.ts';
import { type Money, moneyOf, reconcile } from './money.ts';
import { Traffic } from './traffic.ts';
import { ScaleWorld } from './world.ts';

const ENTITLEMENTS_CLAIMED = 20;
const PLACES_EXPLAINED = 5;
const SLOTS_OF_CLAIM = 200n;
const TRANSFERS = 500;
const TRANSFERS_OF_BLOCK = 100;

/** How much of it. */
export interface ScaleOptions {
  readonly inferences: number;
  readonly channels: number;
  /** Each is an epoch of its own, and of its memory. */
  readonly rounds: number;
  readonly contributions: number;
  /** One receipt in so many is signed and checked; every voucher is. */
  readonly receiptsEvery: number;
  /** Beside the main one, for vouchers and receipts. */
  readonly threads: number;
  readonly windowBlocks: number;
  readonly seed: number;
}

/** What a run talks to. */
export interface ScalePorts {
  readonly say: (text: string) => void;
  /** Milliseconds; of the program, which may have a clock. */
  readonly now: () => number;
}

/** A transaction of the settlement. */
export interface ScaleTransaction {
  readonly what: string;
  readonly bytes: number;
  readonly gas: bigint;
  /** Of its block: all of it, and what of it went into signatures. */
  readonly milliseconds: number;
  readonly signaturesMs: number;
}

/** What a bank transfer of one unit costs beside it. */
export interface TransferCost {
  readonly bytes: number;
  readonly gas: bigint;
  readonly microseconds: number;
}

/** What a run found. */
export interface ScaleResult {
  readonly transactions: readonly ScaleTransaction[];
  readonly transfer: TransferCost;
  /** After everything else, and apart from it. */
  readonly closing: Closing;
  /** Before the first inference and after the last claim; what came in addition. */
  readonly balances: { readonly before: Money; readonly after: Money };
  readonly money: Money;
  readonly traffic: Traffic;
  readonly world: ScaleWorld;
  /** What does not add up: nothing. */
  readonly problems: readonly string[];
}

/** Runs it once. */
export async function runScale(options: ScaleOptions, ports: ScalePorts): Promise<ScaleResult> {
  const run = new Run(options, ports);
  try {
    return await run.run();
  } finally {
    await run.stop();
  }
}

class Run {
  readonly #options: ScaleOptions;
  readonly #ports: ScalePorts;
  readonly #world: ScaleWorld;
  readonly #traffic: Traffic;
  readonly #transactions: ScaleTransaction[] = [];
  readonly #problems: string[] = [];
  /** Made while the first epoch is at hand. */
  #entitlements: readonly Any[] = [];
  #signaturesMs = 0;

  constructor(options: ScaleOptions, ports: ScalePorts) {
    this.#options = options;
    this.#ports = ports;
    const { now } = ports;
    const verifier: SignatureVerifier = {
      verify: (task) => {
        const start = now();
        const isRight = plainVerifier.verify(task);
        this.#signaturesMs += now() - start;
        return isRight;
      },
    };
    this.#world = new ScaleWorld(options, verifier);
    const { chain, gateway } = this.#world;
    const round = {
      id: 0n,
      gateway: gateway.address,
      denom: 'uopen',
      claimed: '0',
      closed: false,
      epochId: 0n,
    };
    const { terms } = watchedChain(chain.app.composition, chain.app.contextAt(chain.app.height), round);
    const known = new Map([1n, 2n, 3n].map((id) => [id, terms(id)]));
    this.#traffic = new Traffic(this.#world, { ...options, terms: (id) => known.get(id) });
  }

  /** Ends the threads. */
  stop(): Promise<void> {
    return this.#traffic.stop();
  }

  async run(): Promise<ScaleResult> {
    const { rounds } = this.#options;
    const { setUp, contributors } = this.#world;
    this.#ports.say(
      `set up: ${setUp.channels} transactions open channels (${setUp.channelBytes} bytes, ${setUp.channelGas} gas), ` +
        `${setUp.others} bring contributions, models and the gateway`,
    );
    const before = moneyOf(this.#world);
    let receipts = this.#serve(0);
    for (let round = 0; round < rounds; round++) {
      await this.#claim(round, receipts.count);
      // The gateway goes on while it states what it has claimed, and threads verify.
      const next = round + 1 < rounds ? this.#serve(round + 1) : receipts;
      this.#settle(round + 1, receipts);
      receipts = next;
    }
    this.#finalize();
    if (this.#entitlements.length > 0)
      this.#send('claim entitlements', this.#world.gateway, this.#entitlements);
    this.#claimPools(contributors);
    const after = moneyOf(this.#world);
    const balances = { before, after };
    this.#problems.push(...reconcile(balances, this.#traffic.totals, this.#world));
    const money = after.since(before);
    if (this.#traffic.paid.amount !== -money.channels)
      this.#problems.push(
        `vouchers over ${this.#traffic.paid.amount} were verified, ${-money.channels} claimed`,
      );
    const closing = closeChannels(this.#world, this.#traffic.charged());
    this.#problems.push(...closing.problems);
    return {
      balances,
      transactions: this.#transactions,
      transfer: this.#transfers(),
      closing,
      money,
      traffic: this.#traffic,
      world: this.#world,
      problems: this.#problems,
    };
  }

  /** Blocks until windows are over. */
  #finalize(): void {
    const { rounds, windowBlocks } = this.#options;
    const { now, say } = this.#ports;
    let slowest = 0;
    const isFinal = (): boolean =>
      this.#world.epochs().every(({ state }) => state === EpochState.EPOCH_STATE_FINAL);
    for (let i = 0; i <= windowBlocks + rounds || !isFinal(); i++) {
      const start = now();
      this.#world.chain.block();
      slowest = Math.max(slowest, now() - start);
    }
    say(
      `${windowBlocks} blocks later windows are over and rows are paid: ${slowest.toFixed(0)} ms of a block at most`,
    );
  }

  #serve(round: number): PackedLeaves {
    const { inferences, rounds } = this.#options;
    const [from, to] = [round, round + 1].map((n) => Math.floor((inferences * n) / rounds));
    return this.#traffic.serve((to ?? 0) - (from ?? 0));
  }

  /** What the vouchers of a round are worth, when all of them are verified. */
  async #claim(round: number, count: number): Promise<void> {
    const { say } = this.#ports;
    const { gateway } = this.#world;
    await this.#traffic.verified();
    say(`round ${round + 1}: ${count} inferences served, vouchers and receipts of all verified`);
    const rows = this.#traffic.claims();
    this.#send(`round ${round + 1}: claim ${rows.length} vouchers`, gateway, [
      anyOf(MsgClaimVouchers, { claimer: gateway.address, rows }),
    ]);
  }

  /** States a round, judged as a watcher does. */
  #settle(number: number, receipts: PackedLeaves): void {
    const { say, now } = this.#ports;
    const { gateway, chain } = this.#world;
    const round = this.#world.waiting();
    const on = watchedChain(chain.app.composition, chain.app.contextAt(chain.app.height), round);
    const built = now();
    const { rowsMax, epochBond } = DEFAULT_PARAMS;
    const epoch = buildEpoch({ receipts, attribution: this.#traffic.attribution, chain: on, rowsMax });
    const judged = now();
    const fraud = findEpochFraud(epoch, on);
    if (fraud !== undefined) this.#problems.push(`round ${number}: rule ${fraud.rule} convicts it`);
    const { receipts: tree, allocations, rows: listed, entitlements } = epoch.commitment;
    const seconds = [judged - built, now() - judged].map((ms) => (ms / 1_000).toFixed(1));
    say(
      `round ${number}: epoch of ${tree.leaves} receipts, ${allocations.leaves} allocations, ` +
        `${listed.length} rows and ${entitlements.leaves} entitlements built in ${seconds[0]} s, ` +
        `judged in ${seconds[1]} s`,
    );
    const { commitment } = epoch;
    const bond = { denom: 'uopen', amount: `${epochBond}` };
    const message = { gateway: gateway.address, roundId: round.id, commitment, bond };
    this.#send(`round ${number}: settle the epoch`, gateway, [anyOf(MsgSettleEpoch, message)]);
    this.#explain(epoch);
    if (number === 1) this.#entitlements = this.#entitlementsOf(epoch);
  }

  /** Rows are the sums of their receipts, each of which is proved. */
  #explain(epoch: PublishedEpoch): void {
    for (const { place, amount } of epoch.commitment.rows.slice(-PLACES_EXPLAINED)) {
      let sum = 0n;
      for (const { index, allocation } of allocationsOf(epoch, place)) {
        if (sum === 0n) verifyAllocation(epoch.commitment, proveAllocation(epoch, index));
        sum += allocation.amount;
      }
      if (sum !== amount) this.#problems.push(`a row of ${amount} has receipts of ${sum}`);
    }
  }

  #entitlementsOf({ entitlements }: PublishedEpoch): readonly Any[] {
    const count = Math.min(ENTITLEMENTS_CLAIMED, entitlements.tree.leaves);
    const { id: epochId } = this.#world.epochs().at(-1) ?? { id: 0n };
    return Array.from({ length: count }, (_, index) => {
      const opening = openLeaves(entitlements, [index]);
      return anyOf(MsgClaimEntitlement, { sender: this.#world.gateway.address, epochId, index, opening });
    });
  }

  /** Every contributor claims of some slots, all in one transaction. */
  #claimPools([first, ...others]: readonly TestAccount[]): void {
    if (first === undefined) return;
    const claims = [first, ...others].map((account) => this.#claimOf(account));
    this.#send(`${claims.length} contributors claim`, first, claims, others);
  }

  #claimOf({ address: owner }: TestAccount): Any {
    const types = { request: QuerySlotsByOwnerRequest, response: QuerySlotsByOwnerResponse };
    const pagination = {
      key: new Uint8Array(0),
      offset: 0n,
      limit: SLOTS_OF_CLAIM,
      countTotal: false,
      reverse: false,
    };
    const { slots } = this.#world.chain.query('/openledger.pools.v1.Query/SlotsByOwner', types, {
      owner,
      pagination,
    });
    const pool = slots[0]?.pool;
    if (pool === undefined) throw new Error(`${owner} has no slots`);
    return anyOf(MsgClaim, { owner, pools: [{ pool, slots: slots.map(({ index }) => index) }] });
  }

  #send(
    what: string,
    signer: TestAccount,
    messages: readonly Any[],
    also: readonly TestAccount[] = [],
  ): void {
    const { say, now } = this.#ports;
    const tx = this.#world.sign(signer, messages, also);
    this.#signaturesMs = 0;
    const start = now();
    const [gas = 0n] = this.#world.blockOk([tx]);
    const milliseconds = now() - start;
    const done = { what, bytes: tx.length, gas, milliseconds, signaturesMs: this.#signaturesMs };
    this.#transactions.push(done);
    say(`${this.#transactions.length}. ${textOf(done)}`);
  }

  /** As many bank transfers as tell what one costs, in the same run. */
  #transfers(): TransferCost {
    const { payers, chain, gateway } = this.#world;
    let [bytes, gas, milliseconds, count] = [0, 0n, 0, 0];
    while (count < TRANSFERS) {
      const senders = payers.slice(0, Math.min(TRANSFERS_OF_BLOCK, TRANSFERS - count));
      const txs = senders.map((payer) => chain.send(payer, gateway.address, '1uopen', { fee: '' }));
      const start = this.#ports.now();
      for (const used of this.#world.blockOk(txs)) gas += used;
      milliseconds += this.#ports.now() - start;
      for (const tx of txs) bytes += tx.length;
      count += txs.length;
    }
    const microseconds = (1_000 * milliseconds) / count;
    return { bytes: Math.round(bytes / count), gas: gas / BigInt(count), microseconds };
  }
}

/** A line about a transaction. */
function textOf({ what, bytes, gas, milliseconds, signaturesMs }: ScaleTransaction): string {
  const time = `${milliseconds.toFixed(0)} ms (${signaturesMs.toFixed(0)} ms in signatures)`;
  return `${what}: ${bytes} bytes, ${gas} gas, ${time}`;
}
