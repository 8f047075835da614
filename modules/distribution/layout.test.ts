/** Keeper and hooks step by step against those of the SDK: see test/vectors/distribution. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { concatBytes, equalBytes, fromHex, toHex } from '../../core/bytes.ts';
import type { Decimal } from '../../core/decimal.ts';
import { sha256 } from '../../core/hash.ts';
import { type Address, AddressCodec, moduleAddress } from '../../framework/address.ts';
import { type Coins, coinsFromString, coinsToString } from '../../framework/coins.ts';
import { Context, type VoteInfo } from '../../framework/context.ts';
import type { Event } from '../../framework/events.ts';
import { GAS_UNLIMITED, GasMeter, unlimitedGas } from '../../framework/gas.ts';
import { canonicalJson, JsonReader, type JsonValue } from '../../framework/json.ts';
import { TEST_BLOCK } from '../../framework/testing/memory.ts';
import { ed25519PublicKey } from '../../framework/tx/public-key.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { decimal } from '../../test/support/staking-world.ts';
import type { BankTransfer } from '../bank/types.ts';
import type { Delegation, StakingView, Validator } from '../staking/types.ts';
import { allocateTokens } from './allocation.ts';
import { withdrawCommission } from './commission.ts';
import { fundCommunityPool, spendCommunityPool } from './community-pool.ts';
import { withdrawRewards } from './delegations.ts';
import { withdrawAddressSet } from './events.ts';
import { distributionGenesis } from './genesis.ts';
import { DistributionHooks } from './hooks.ts';
import type { DistributionCore } from './ports.ts';
import { distributionState, STORE_NAME } from './state.ts';

interface View {
  readonly tokens: string;
  readonly shares: string;
  readonly rate: string;
  readonly delegation?: string;
}

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly coins: string;
}

interface Step {
  readonly height: number;
  readonly call: string;
  readonly validator: number;
  readonly delegator: number;
  readonly argument?: string;
  readonly view?: View;
  readonly votes?: readonly { readonly validator: number; readonly power: string; readonly view: View }[];
  readonly events: readonly {
    readonly type: string;
    readonly attributes: readonly (readonly [string, string])[];
  }[];
  readonly transfers: readonly Transfer[];
  readonly gas: number;
  readonly digest: string;
}

interface Vectors {
  readonly steps: readonly Step[];
  readonly dump: readonly (readonly [string, string])[];
  readonly exportDump: readonly (readonly [string, string])[];
  readonly export: JsonValue;
}

const vectors: Vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/distribution/steps.json', import.meta.url), 'utf8'),
);

const counting = (first: number): Uint8Array => Uint8Array.from({ length: 20 }, (_, i) => first + i);
const operatorOf = (i: number): Address => counting(1 + 20 * i);
const accountOf = (i: number): Address => counting(101 + 20 * i);
const keyAddressOf = (i: number): Uint8Array => Uint8Array.from({ length: 20 }, (_, j) => (j === 0 ? i : 0));

function validatorOf(i: number, { tokens, shares, rate }: View): Validator {
  return {
    operator: operatorOf(i),
    consensusKey: ed25519PublicKey(new Uint8Array(32)),
    jailed: false,
    status: 'bonded',
    tokens: BigInt(tokens),
    shares: decimal(shares),
    description: { moniker: '', identity: '', website: '', securityContact: '', details: '' },
    unbondingHeight: 0n,
    unbondingTime: { seconds: 0n, nanos: 0 },
    commission: {
      rate: decimal(rate),
      maxRate: decimal(rate),
      maxChangeRate: decimal(rate),
      updateTime: { seconds: 0n, nanos: 0 },
    },
    minSelfDelegation: 1n,
    unbondingIds: [],
  };
}

/** Staking as a step knew it. */
class StepStaking implements Pick<StakingView, 'validator' | 'validatorByKey' | 'tokensOf' | 'delegation'> {
  step: Step | undefined;

  validator(_: unknown, operator: Address): Validator | undefined {
    const { validator = 0, view } = this.step ?? {};
    return view !== undefined && equalBytes(operator, operatorOf(validator))
      ? validatorOf(validator, view)
      : undefined;
  }

  validatorByKey(_: unknown, [number = 0]: Uint8Array): Validator | undefined {
    const vote = this.step?.votes?.find(({ validator }) => validator === number);
    return vote === undefined ? undefined : validatorOf(number, vote.view);
  }

  /** As staking's keeper: to the nearest. */
  tokensOf({ tokens, shares }: Validator, held: Decimal): Decimal {
    return held.multiplyInteger(tokens).divide(shares);
  }

  delegation(): Delegation | undefined {
    const { validator = 0, delegator = 0, view } = this.step ?? {};
    if (view?.delegation === undefined) return undefined;
    const shares = decimal(view.delegation);
    return { delegator: accountOf(delegator), validator: operatorOf(validator), shares };
  }
}

/** Notes transfers. */
class NotingBank
  implements Pick<BankTransfer, 'balances' | 'isBlocked' | 'send' | 'sendToModule' | 'sendBetweenModules'>
{
  collected: Coins = [];
  transfers: Transfer[] = [];

  balances(): Coins {
    return this.collected;
  }

  isBlocked(): boolean {
    return false;
  }

  send(_: unknown, { from, to, coins }: { from: Address; to: Address; coins: Coins }): void {
    expect(toHex(from)).toBe(toHex(moduleAddress(STORE_NAME)));
    this.#note(STORE_NAME, toHex(to), coins);
  }

  sendToModule(_: unknown, { from, module, coins }: { from: Address; module: string; coins: Coins }): void {
    this.#note(toHex(from), module, coins);
  }

  sendBetweenModules(_: unknown, { from, to, coins }: { from: string; to: string; coins: Coins }): void {
    this.#note(from, to, coins);
  }

  #note(from: string, to: string, coins: Coins): void {
    this.transfers.push({ from, to, coins: coinsToString(coins) });
  }
}

class Replay {
  readonly staking: StepStaking = new StepStaking();
  readonly bank: NotingBank = new NotingBank();
  readonly core: DistributionCore;
  readonly #branch = new MemoryMultiStore({ stores: [STORE_NAME] }).branch();

  constructor() {
    this.core = {
      addresses: {
        accounts: new AddressCodec('open'),
        validators: new AddressCodec('openvaloper'),
        consensus: new AddressCodec('openvalcons'),
      },
      // What a step does not need is not there: calling it would fail the test.
      bank: Object.assign(Object.create(null), bound(this.bank)),
      staking: Object.assign(Object.create(null), {
        ...bound(this.staking),
        params: () => ({ bondDenom: 'uopen' }),
      }),
      feeCollector: 'fee_collector',
      state: distributionState(),
    };
  }

  context(height: number): Context {
    const block = { ...TEST_BLOCK, height: BigInt(height) };
    const gas = new GasMeter(GAS_UNLIMITED);
    return new Context({ branch: this.#branch, block, mode: 'finalize', gas });
  }

  dump(): readonly (readonly [string, string])[] {
    const gas = unlimitedGas();
    const context = new Context({ branch: this.#branch, block: TEST_BLOCK, mode: 'query', gas });
    return [...context.reader(STORE_NAME).iterate({})].map(([key, value]) => [toHex(key), toHex(value)]);
  }

  digest(): string {
    const parts = this.dump().flatMap(([key, value]) => [key, value].map(sized));
    return toHex(sha256(concatBytes(...parts))).slice(0, 16);
  }
}

function bound(object: object): Readonly<Record<string, unknown>> {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(object)).filter((n) => n !== 'constructor');
  return Object.fromEntries(names.map((name) => [name, Reflect.get(object, name).bind(object)]));
}

function sized(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concatBytes(length, bytes);
}

function perform(replay: Replay, context: Context, step: Step): void {
  const { core, bank } = replay;
  const hooks = new DistributionHooks(core);
  const operator = operatorOf(step.validator);
  const delegator = accountOf(step.delegator);
  const pair = { delegator, validator: operator };
  const argument = step.argument ?? '';
  const calls: Readonly<Record<string, () => unknown>> = {
    afterValidatorCreated: () => hooks.afterValidatorCreated(context, operator),
    beforeDelegationCreated: () => hooks.beforeDelegationCreated(context, pair),
    beforeDelegationSharesModified: () => hooks.beforeDelegationSharesModified(context, pair),
    afterDelegationModified: () => hooks.afterDelegationModified(context, pair),
    afterValidatorRemoved: () =>
      hooks.afterValidatorRemoved(context, { operator, consensusAddress: keyAddressOf(step.validator) }),
    beforeValidatorSlashed: () => hooks.beforeValidatorSlashed(context, operator, decimal(argument)),
    allocateTokens() {
      bank.collected = coinsFromString(argument);
      allocateTokens(core, context, votesOf(step));
    },
    withdrawRewards: () => withdrawRewards(core, context, pair),
    withdrawCommission: () => withdrawCommission(core, context, operator),
    fundCommunityPool: () =>
      fundCommunityPool(core, context, { from: delegator, coins: coinsFromString(argument) }),
    spendCommunityPool: () =>
      spendCommunityPool(core, context, { to: delegator, coins: coinsFromString(argument) }),
    // What the message does; it has read the parameters before.
    setWithdrawAddress() {
      core.state.params.get(context);
      context.emit(withdrawAddressSet(core.addresses.accounts.toText(fromHex(argument))));
      core.state.withdrawAddresses.set(context, delegator, fromHex(argument));
    },
  };
  const call = calls[step.call];
  if (call === undefined) throw new RangeError(`a step calls ${step.call}`);
  call();
}

function votesOf({ votes = [] }: Step): readonly VoteInfo[] {
  return votes.map(({ validator, power }) => ({
    validatorAddress: keyAddressOf(validator),
    power: BigInt(power),
    absent: false,
  }));
}

function textsOf(events: readonly Event[]): Step['events'] {
  return events.map(({ type, attributes }) => ({
    type,
    attributes: attributes.map(({ key, value }) => [key, value] as const),
  }));
}

describe('distribution does what the SDK does', () => {
  it('in every step: state, events, transfers and gas', () => {
    const replay = new Replay();
    const genesis = distributionGenesis(replay.core);
    genesis.init(replay.context(0), new JsonReader(genesis.defaults(), 'distribution'));
    replay.core.state.previousProposer.remove(replay.context(0));
    for (const [i, step] of vectors.steps.entries()) {
      const label = `step ${i}, ${step.call}`;
      const context = replay.context(step.height);
      replay.staking.step = step;
      replay.bank.transfers = [];
      if (step.call === 'export') {
        replay.core.state.previousProposer.set(context, keyAddressOf(1));
        expect(replay.dump(), label).toEqual(vectors.exportDump);
        expect(canonicalJson(genesis.export(context))).toBe(canonicalJson(vectors.export));
        continue;
      }
      perform(replay, context, step);
      expect(textsOf(context.events), label).toEqual(step.events);
      expect(replay.bank.transfers, label).toEqual(step.transfers);
      expect(replay.digest(), label).toBe(step.digest);
      expect(context.gas.consumed, label).toBe(step.gas);
    }
    expect(replay.dump()).toEqual(vectors.dump);
  });

  it('and its export is read back to the same store', () => {
    const replay = new Replay();
    const genesis = distributionGenesis(replay.core);
    // What the account has to hold: read from the complaint, as somebody who mends a document would.
    const init = (): void =>
      void genesis.init(replay.context(1), new JsonReader(vectors.export, 'distribution'));
    const [, holdings = ''] = / <-> ([^;]*);/.exec(messageOfThrown(init)) ?? [];
    replay.bank.collected = coinsFromString(holdings);
    init();
    expect(replay.dump()).toEqual(vectors.exportDump);
  });
});

function messageOfThrown(run: () => void): string {
  try {
    run();
  } catch (error) {
    return String(error);
  }
  throw new RangeError('nothing was thrown');
}
