/** Pools on the modules of the application, with slots that tests give out instead of Datanets. */
import { moduleAddress } from '../../framework/address.ts';
import type { JsonObject } from '../../framework/json.ts';
import { messageToJson } from '../../framework/proto-json.ts';
import { orderSlot } from '../../modules/pools/changes.ts';
import { pay } from '../../modules/pools/credits.ts';
import { DEFAULT_PARAMS } from '../../modules/pools/params.ts';
import type { PoolsCore } from '../../modules/pools/ports.ts';
import { poolState, STORE_NAME } from '../../modules/pools/state.ts';
import { creditSource, type PoolNode } from '../../modules/pools/places.ts';
import { GenesisState } from '../../proto/gen/openledger/pools/v1/genesis.ts';
import type { Params, PoolId } from '../../proto/gen/openledger/pools/v1/pools.ts';
import * as tx from '../../proto/gen/openledger/pools/v1/tx.ts';
import { StakingWorld, stakingSections } from './staking-world.ts';
import { testAccount } from './test-chain.ts';

/** A pool that no Datanet has. */
export const POOL: PoolId = { kind: 1, subject: 77n };

const ACCOUNTS = 6;

/** See the file comment. Account 5 pays, in `uopen` and `uusd`. */
export class PoolsWorld {
  readonly staking: StakingWorld;
  readonly core: PoolsCore;

  constructor(params: Partial<Params> = {}, denoms: readonly string[] = ['uopen', 'uusd']) {
    const sections = { bank: bankSection(denoms), pools: poolsSection({ ...DEFAULT_PARAMS, ...params }) };
    this.staking = new StakingWorld({ validators: [1_000_000n], accounts: ACCOUNTS, sections });
    const { addresses, bank, distribution } = this.staking.composition;
    this.core = {
      addresses,
      bank,
      communityPool: distribution,
      withdrawAddresses: distribution,
      state: poolState(),
      account: moduleAddress(STORE_NAME),
    };
  }

  get height(): bigint {
    return this.staking.context.block.height;
  }

  text(i: number): string {
    return this.staking.account(i).address;
  }

  /** Orders a weight for a slot of an account. */
  order(slot: number, weight: bigint, owner: number, pool: PoolId = POOL): void {
    const order = { pool, slot: BigInt(slot), weight, owner: this.staking.address(owner) };
    orderSlot(this.core, this.staking.context, order);
  }

  /** Pays from account 5, at the root unless a node is named. */
  pay(amount: bigint, { denom = 'uopen', place, pool = POOL }: PayOptions = {}): void {
    const row = {
      pool,
      amount,
      source: creditSource({ receiptId: 9n }),
      ...(place === undefined ? {} : { place }),
    };
    pay(this.core, this.staking.context, { from: this.staking.address(5), denom, rows: [row] });
  }

  /** Claims; what was paid as `12uopen`. */
  claim(owner: number, slots: readonly number[], pool: PoolId = POOL): readonly string[] {
    const types = { message: tx.MsgClaim, response: tx.MsgClaimResponse };
    const pools = [{ pool, slots: slots.map(BigInt) }];
    const { amount } = this.staking.run(types, { owner: this.text(owner), pools });
    return amount.map((coin) => `${coin.amount}${coin.denom}`);
  }

  close(pool: PoolId = POOL, authority: string = this.authority): void {
    this.staking.run({ message: tx.MsgClosePool, response: tx.MsgClosePoolResponse }, { authority, pool });
  }

  get authority(): string {
    return this.core.addresses.toText(moduleAddress('gov'));
  }

  /** What is in the community pool, whole units. */
  communityPool(denom = 'uopen'): bigint {
    const { bank } = this.core;
    return bank.balance(this.staking.context, moduleAddress('distribution'), denom);
  }

  balance(i: number, denom = 'uopen'): bigint {
    return this.core.bank.balance(this.staking.context, this.staking.address(i), denom);
  }

  /** Ends blocks up to and with the one of this height. */
  endBlocksTo(height: bigint): void {
    while (this.height <= height) this.staking.endBlock();
  }

  /** Of the last event of a type in the block under way. */
  attributes(type: string): Readonly<Record<string, string>> {
    const last = this.staking.context.events.findLast((event) => event.type === type);
    return Object.fromEntries(last?.attributes.map(({ key, value }) => [key, value]) ?? []);
  }

  /** Types of the events of the block under way. */
  get events(): readonly string[] {
    return this.staking.context.events.map(({ type }) => type);
  }
}

/** How a payment differs from one at the root in `uopen`. */
export interface PayOptions {
  readonly denom?: string;
  readonly place?: NonNullable<PoolNode['place']>;
  readonly pool?: PoolId;
}

function poolsSection(params: Params): JsonObject {
  return messageToJson(GenesisState, GenesisState.create({ params }));
}

function bankSection(denoms: readonly string[]): JsonObject {
  const accounts = Array.from({ length: ACCOUNTS }, (_, i) => testAccount(`${i}`));
  const { bank } = stakingSections({ validators: [1_000_000n], accounts });
  const section = bank as JsonObject & { readonly balances: readonly JsonObject[] };
  const [pool] = section.balances.slice(-1);
  const coins = denoms.toSorted().map((denom) => ({ denom, amount: (1n << 80n).toString() }));
  return { ...section, balances: [...accounts.map(({ address }) => ({ address, coins })), pool ?? {}] };
}
