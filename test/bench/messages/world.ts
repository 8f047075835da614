/**
 * The modules of the application over a store in memory, with as many accounts as are asked for, each of
 * which delegates; messages run without transactions, so that what is measured is the message alone.
 */
import { performance } from 'node:perf_hooks';
import { firstValidators, initModules } from '../../../app/genesis.ts';
import { type Composition, composeModules, storeNames } from '../../../app/modules.ts';
import { utf8 } from '../../../core/bytes.ts';
import { sha256 } from '../../../core/hash.ts';
import { addDuration } from '../../../core/time.ts';
import { moduleAddress } from '../../../framework/address.ts';
import { coinsFromString } from '../../../framework/coins.ts';
import { type BlockInfo, Context } from '../../../framework/context.ts';
import { GAS_UNLIMITED, GasMeter, unlimitedGas } from '../../../framework/gas.ts';
import type { JsonObject } from '../../../framework/json.ts';
import { TEST_BLOCK } from '../../../framework/testing/memory.ts';
import { secp256k1PublicKey } from '../../../framework/tx/public-key.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import type { MultiStoreBranch } from '../../../store/kv.ts';
import { MemoryMultiStore } from '../../../store/multistore.ts';
import { GOV_PARAMS } from '../../support/gov-world.ts';
import { consensusKey, operatorText, stakingSections } from '../../support/staking-world.ts';
import { plainVerifier, type TestAccount } from '../../support/test-chain.ts';

const PREFIX = 'open';
/** What each account delegates, in `uopen`. */
const DELEGATED = 1_000_000n;
const COINS = 1_000_000_000_000n;
/** Fees of a block, which the next one shares out. */
const FEES = '1000000uopen';
const BLOCK_SECONDS = 5n;
/** Nothing that is proposed ends while it is measured. */
const LONG_VOTES = { voting_period: '172800s', max_deposit_period: '172800s' } as const;
const NO_KEY = new Uint8Array(0);

/** What was asked of the state. */
export interface Accesses {
  /** Values that were read, and looked for. */
  readonly reads: number;
  readonly writes: number;
  /** Steps of iterators. */
  readonly steps: number;
}

/** What a run of a message took. */
export interface MessageCost extends Accesses {
  readonly microseconds: number;
}

/** What a block without transactions took, in milliseconds. */
export interface BlockCost {
  readonly endMs: number;
  readonly beginMs: number;
  readonly commitMs: number;
  readonly accesses: Accesses;
}

/** Counts what is charged for. */
class CountingMeter extends GasMeter {
  reads = 0;
  writes = 0;
  steps = 0;

  override consume(amount: number, location: string): void {
    super.consume(amount, location);
    if (location === 'ReadFlat' || location === 'Has') this.reads++;
    else if (location === 'WriteFlat' || location === 'Delete') this.writes++;
    else if (location === 'IterNextFlat') this.steps++;
  }

  get accesses(): Accesses {
    const { reads, writes, steps } = this;
    return { reads, writes, steps };
  }
}

/** See the file comment. */
export class MessageWorld {
  readonly composition: Composition = composeModules(PREFIX, { verifier: plainVerifier });
  /** Whom modules obey: the account of governance, as text. */
  readonly authority: string = this.composition.addresses.toText(moduleAddress('gov'));
  readonly validators: number;
  readonly #store: MemoryMultiStore;
  #branch: MultiStoreBranch;
  #block: BlockInfo = { ...TEST_BLOCK, height: 0n };
  #context: Context;
  #taken = 0;

  /**
   * @param options so many accounts that delegate, shared out over so many validators; `note` is told of each
   * step of the genesis
   */
  constructor({
    accounts,
    validators,
    note = () => undefined,
  }: {
    readonly accounts: number;
    readonly validators: number;
    readonly note?: (step: string) => void;
  }) {
    this.validators = validators;
    this.#taken = validators;
    const { modules, consensus } = this.composition;
    this.#store = new MemoryMultiStore({ stores: storeNames(modules), keepVersions: 2 });
    this.#branch = this.#store.branch();
    this.#context = this.#newContext(unlimitedGas());
    const sections = this.#sections(accounts);
    note('its sections are made');
    const updates = initModules(modules, this.#context, sections);
    note('they are read and written');
    consensus.apply(this.#context, firstValidators([], updates));
    this.#commit();
    note('and committed');
    this.#block = TEST_BLOCK;
    this.#context = this.#newContext(unlimitedGas());
  }

  /** The i-th account: first the operators, then those who delegate. */
  account(i: number): TestAccount {
    const key = Uint8Array.from([2, ...sha256(utf8(`bench account ${i}`))]);
    const pubKey = secp256k1PublicKey(key);
    return { privateKey: NO_KEY, pubKey, address: this.composition.addresses.toText(pubKey.address) };
  }

  /** One that no other message was given, and the number of its validator. */
  takeAccount(): { readonly account: TestAccount; readonly validator: number } {
    const i = this.#taken++;
    return { account: this.account(i), validator: i % this.validators };
  }

  /** One that the chain has never seen. */
  stranger(name: string): TestAccount {
    const pubKey = secp256k1PublicKey(Uint8Array.from([3, ...sha256(utf8(name))]));
    return { privateKey: NO_KEY, pubKey, address: this.composition.addresses.toText(pubKey.address) };
  }

  /** Operator text of the i-th validator. */
  operator(i: number): string {
    return operatorText(this.account(i % this.validators), PREFIX);
  }

  get context(): Context {
    return this.#context;
  }

  get block(): BlockInfo {
    return this.#block;
  }

  /** Runs a message; what it throws has changed nothing. */
  run({ typeUrl, value }: Any): { readonly cost: MessageCost; readonly response: Uint8Array } {
    const meter = new CountingMeter(GAS_UNLIMITED);
    const context = new Context({ branch: this.#branch, block: this.#block, mode: 'finalize', gas: meter });
    const start = performance.now();
    const bound = this.composition.router.require(typeUrl).bind(value, this.composition.addresses);
    bound.validate();
    const branched = context.branch();
    const response = bound.run(branched.context);
    branched.write();
    const microseconds = (performance.now() - start) * 1000;
    return { cost: { microseconds, ...meter.accesses }, response };
  }

  /** Ends the block, commits it, and begins the next, in which fees are shared out and all votes counted. */
  endBlock(seconds: bigint = BLOCK_SECONDS): BlockCost {
    const { bank, modules, beginBlockers, consensus } = this.composition;
    bank.collectFee(this.#context, this.account(0).pubKey.address, coinsFromString(FEES));
    const meter = new CountingMeter(GAS_UNLIMITED);
    this.#context = this.#newContext(meter);
    const start = performance.now();
    const updates = modules.flatMap((module) => module.endBlock?.(this.#context) ?? []);
    consensus.apply(this.#context, updates);
    const ended = performance.now();
    this.#commit();
    const committed = performance.now();
    const lastCommit = consensus
      .validators(this.#context)
      .map(({ address, power }) => ({ validatorAddress: address, power, absent: false }));
    const time = addDuration(this.#block.time, { seconds, nanos: 0 });
    this.#block = { ...this.#block, lastCommit, misbehavior: [], height: this.#block.height + 1n, time };
    this.#context = this.#newContext(meter);
    const begun = performance.now();
    for (const module of beginBlockers) module.beginBlock?.(this.#context);
    return {
      endMs: ended - start,
      commitMs: committed - ended,
      beginMs: performance.now() - begun,
      accesses: meter.accesses,
    };
  }

  #newContext(gas: GasMeter): Context {
    const mode = this.#block.height === 0n ? 'genesis' : 'finalize';
    return new Context({ branch: this.#branch, block: this.#block, mode, gas });
  }

  #commit(): void {
    this.#branch.write();
    this.#store.commit();
    this.#branch = this.#store.branch();
  }

  /** Genesis: each account has coins and delegates to the validator of its number. */
  #sections(count: number): JsonObject {
    const accounts = Array.from({ length: this.validators + count }, (_, i) => this.account(i));
    const tokens = Array.from({ length: this.validators }, (_, j) => {
      const delegators = Math.ceil((accounts.length - j) / this.validators);
      return DELEGATED * BigInt(delegators);
    });
    const sections = stakingSections({ validators: tokens, accounts, coins: COINS, prefix: PREFIX });
    const { staking } = sections;
    if (typeof staking !== 'object' || staking === null || Array.isArray(staking))
      throw new TypeError('the section of staking is no object');
    const delegations = accounts.map(({ address }, i) => ({
      delegator_address: address,
      validator_address: this.operator(i),
      shares: `${DELEGATED}.000000000000000000`,
    }));
    const auth = this.composition.modules.find(({ name }) => name === 'auth')?.genesis?.defaults();
    return {
      ...sections,
      staking: { ...staking, delegations },
      gov: { starting_proposal_id: '1', params: { ...GOV_PARAMS, ...LONG_VOTES } },
      auth: {
        ...(auth as JsonObject),
        accounts: accounts.map(({ address }, i) => ({
          '@type': '/cosmos.auth.v1beta1.BaseAccount',
          address,
          pub_key: null,
          account_number: `${i}`,
          sequence: '0',
        })),
      },
    };
  }
}

/** A consensus key that no validator of the genesis has, as a message carries it. */
export function freshConsensusKey(i: number): Uint8Array {
  return consensusKey(1_000_000 + i);
}
