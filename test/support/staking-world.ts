/**
 * Chains whose validators come from staking: their genesis, and the modules alone on a store in memory, with
 * messages run without transactions and blocks ended by hand.
 */
import { firstValidators, initModules } from '../../app/genesis.ts';
import { type Composition, composeModules, storeNames } from '../../app/modules.ts';
import { toBase64, utf8 } from '../../core/bytes.ts';
import { Decimal } from '../../core/decimal.ts';
import { sha256 } from '../../core/hash.ts';
import { addDuration } from '../../core/time.ts';
import { type Address, AddressCodec, moduleAddress } from '../../framework/address.ts';
import { type BlockInfo, Context, type Timestamp } from '../../framework/context.ts';
import { unlimitedGas } from '../../framework/gas.ts';
import type { JsonObject } from '../../framework/json.ts';
import { MessageRouter } from '../../framework/message.ts';
import { TEST_BLOCK } from '../../framework/testing/memory.ts';
import { sectionWithoutInflation } from '../../modules/mint/genesis.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { PubKey } from '../../proto/gen/cosmos/crypto/ed25519/keys.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { ValidatorUpdate } from '../../proto/gen/tendermint/abci/types.ts';
import type { MultiStoreBranch } from '../../store/kv.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { type TestAccount, testAccount } from './test-chain.ts';

/** What a chain with staking begins with. */
export interface StakingGenesisOptions {
  /** Tokens of each validator, bonded by its operator: the account of the same number. */
  readonly validators: readonly bigint[];
  /** Accounts with coins; at least as many as validators. */
  readonly accounts: readonly TestAccount[];
  /** Who operates the validators. Default: the accounts. */
  readonly operators?: readonly TestAccount[];
  /** Their consensus keys. Default: made of their numbers. */
  readonly keys?: (i: number) => Uint8Array;
  /** What each account has besides. Default 10^12. */
  readonly coins?: bigint;
  /** Parameters that differ from `uopen`, 100 validators, ten seconds, seven entries, five headers. */
  readonly params?: JsonObject;
  readonly prefix?: string;
  /** Sections of further modules. */
  readonly sections?: JsonObject;
}

/** The consensus key of the i-th validator. */
export function consensusKey(i: number): Uint8Array {
  return Uint8Array.from(sha256(utf8(`consensus key ${i}`)));
}

/** That key as messages carry it. */
export function consensusKeyAny(i: number): Any {
  return { typeUrl: PubKey.typeUrl, value: PubKey.encode({ key: consensusKey(i) }) };
}

/** Text of the operator whose account this is. */
export function operatorText(account: TestAccount, prefix = 'open'): string {
  return new AddressCodec(`${prefix}valoper`).toText(account.pubKey.address);
}

/** Sections `bank`, `staking` and `mint` (no inflation) of a genesis document. */
export function stakingSections(options: StakingGenesisOptions): JsonObject {
  const { accounts, validators, coins = 1_000_000_000_000n, prefix = 'open' } = options;
  const { operators = accounts, keys = consensusKey } = options;
  const bonded = validators.reduce((sum, tokens) => sum + tokens, 0n);
  const pool = new AddressCodec(prefix).toText(moduleAddress('bonded_tokens_pool'));
  const balance = (address: string, amount: bigint): JsonObject => ({
    address,
    coins: [{ denom: 'uopen', amount: amount.toString() }],
  });
  return {
    mint: sectionWithoutInflation('uopen'),
    bank: {
      params: { send_enabled: [], default_send_enabled: true },
      balances: [
        ...accounts.map(({ address }) => balance(address, coins)),
        ...(bonded > 0n ? [balance(pool, bonded)] : []),
      ],
      supply: [],
      denom_metadata: [],
      send_enabled: [],
    },
    staking: {
      params: {
        unbonding_time: '10s',
        max_validators: 100,
        max_entries: 7,
        historical_entries: 5,
        bond_denom: 'uopen',
        min_commission_rate: '0.000000000000000000',
        ...options.params,
      },
      last_total_power: '0',
      last_validator_powers: [],
      validators: validators.map((tokens, i) =>
        validatorJson({ i, tokens, key: keys(i), operator: operatorText(accountOf(operators, i), prefix) }),
      ),
      delegations: validators.map((tokens, i) => ({
        delegator_address: accountOf(operators, i).address,
        validator_address: operatorText(accountOf(operators, i), prefix),
        shares: `${tokens}.000000000000000000`,
      })),
      unbonding_delegations: [],
      redelegations: [],
      exported: false,
    },
  };
}

function accountOf(accounts: readonly TestAccount[], i: number): TestAccount {
  const account = accounts[i];
  if (account === undefined) throw new RangeError(`there are ${accounts.length} accounts`);
  return account;
}

function validatorJson(validator: {
  readonly i: number;
  readonly tokens: bigint;
  readonly key: Uint8Array;
  readonly operator: string;
}): JsonObject {
  const { i, tokens, key, operator } = validator;
  return {
    operator_address: operator,
    consensus_pubkey: { '@type': '/cosmos.crypto.ed25519.PubKey', key: toBase64(key) },
    jailed: false,
    status: 'BOND_STATUS_BONDED',
    tokens: tokens.toString(),
    delegator_shares: `${tokens}.000000000000000000`,
    description: { moniker: `validator ${i}`, identity: '', website: '', security_contact: '', details: '' },
    unbonding_height: '0',
    unbonding_time: '1970-01-01T00:00:00Z',
    commission: {
      commission_rates: {
        rate: '0.100000000000000000',
        max_rate: '0.200000000000000000',
        max_change_rate: '0.010000000000000000',
      },
      update_time: '2023-11-14T22:13:20Z',
    },
    min_self_delegation: '1',
    unbonding_on_hold_ref_count: '0',
    unbonding_ids: [],
  };
}

/** What a block says of the one before it. */
export type Reported = Partial<Pick<BlockInfo, 'lastCommit' | 'misbehavior'>>;

/** The modules of the application on a store in memory; blocks are a second long. */
export class StakingWorld {
  readonly composition: Composition = composeModules('open');
  readonly accounts: readonly TestAccount[];
  readonly firstUpdates: readonly ValidatorUpdate[];
  readonly #router: MessageRouter;
  readonly #branch: MultiStoreBranch;
  #block: BlockInfo;
  #context: Context;

  constructor(options: Omit<StakingGenesisOptions, 'accounts'> & { readonly accounts?: number }) {
    const { accounts = 6, ...rest } = options;
    this.accounts = Array.from({ length: accounts }, (_, i) => testAccount(`${i}`));
    const { modules, consensus } = this.composition;
    this.#router = new MessageRouter(modules.flatMap(({ messages }) => messages));
    this.#branch = new MemoryMultiStore({ stores: storeNames(modules) }).branch();
    this.#block = { ...TEST_BLOCK, height: 0n };
    this.#context = this.#newContext('genesis');
    const sections = { ...stakingSections({ accounts: this.accounts, ...rest }), ...rest.sections };
    this.firstUpdates = initModules(modules, this.#context, sections);
    consensus.apply(this.#context, firstValidators([], this.firstUpdates));
    this.#block = TEST_BLOCK;
    this.#context = this.#newContext('finalize');
  }

  #newContext(mode: 'genesis' | 'finalize'): Context {
    return new Context({ branch: this.#branch, block: this.#block, mode, gas: unlimitedGas() });
  }

  /** The block under way: state, events. */
  get context(): Context {
    return this.#context;
  }

  get time(): Timestamp {
    return this.#block.time;
  }

  /** The i-th account. */
  account(i: number): TestAccount {
    return accountOf(this.accounts, i);
  }

  /** Bytes of the i-th account, also those of its operator. */
  address(i: number): Address {
    return this.account(i).pubKey.address;
  }

  /** Operator text of the i-th account. */
  operator(i: number): string {
    return operatorText(this.account(i));
  }

  /** Address of the i-th consensus key. */
  keyAddress(i: number): Uint8Array {
    return sha256(consensusKey(i)).slice(0, 20);
  }

  balance(i: number): bigint {
    return this.composition.bank.balance(this.#context, this.address(i), 'uopen');
  }

  /** Runs a message as a transaction would; what it throws has changed nothing. */
  run<M, R>(types: { readonly message: MessageType<M>; readonly response: MessageType<R> }, value: M): R {
    const bytes = types.message.encode(value);
    const bound = this.#router.require(types.message.typeUrl).bind(bytes, this.composition.addresses);
    bound.validate();
    const { context, write } = this.#context.branch();
    const response = types.response.decode(bound.run(context));
    write();
    this.#context.emit(...context.events);
    return response;
  }

  /**
   * Ends the block and begins the next one, so many seconds later.
   * @param reported what the next block says of this one: nobody's vote and no misbehavior unless given
   * @returns changes of the set
   */
  endBlock(seconds = 1n, reported: Reported = {}): readonly ValidatorUpdate[] {
    const { modules, beginBlockers, consensus } = this.composition;
    const updates = modules.flatMap((module) => module.endBlock?.(this.#context) ?? []);
    consensus.apply(this.#context, updates);
    const time = addDuration(this.#block.time, { seconds, nanos: 0 });
    const height = this.#block.height + 1n;
    this.#block = { ...this.#block, lastCommit: [], misbehavior: [], ...reported, height, time };
    this.#context = this.#newContext('finalize');
    for (const module of beginBlockers) module.beginBlock?.(this.#context);
    return updates;
  }

  /** What is wrong with the state. */
  broken(): readonly string[] {
    return this.composition.modules.flatMap(({ invariants }) =>
      invariants.flatMap((invariant) => invariant.check(this.#context) ?? []),
    );
  }
}

/** Decimals of a test. */
export function decimal(text: string): Decimal {
  return Decimal.ofText(text);
}
