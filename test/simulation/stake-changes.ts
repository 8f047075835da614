/** Operators who move stake: powers go up and down, newcomers become validators. */
import { Decimal } from '../../core/decimal.ts';
import { PubKey } from '../../proto/gen/cosmos/crypto/ed25519/keys.ts';
import { MsgCreateValidator, MsgDelegate, MsgUndelegate } from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { operatorText } from '../support/staking-world.ts';
import { anyOf } from '../support/test-chain.ts';
import { clientAccount, PREFIX, signedTx, TOKENS_PER_POWER } from './chain.ts';
import type { Companion } from './companion.ts';
import type { Simulation, SimulationOptions } from './simulation.ts';

const BETWEEN_MS_MIN = 50;
const BETWEEN_MS_MAX = 300;
const GAS = 1_000_000n;
const NEWCOMER_POWER = 10n;
const MOVED_POWER_MAX = 4;
const DENOM = 'uopen';

type StakeOptions = Pick<SimulationOptions, 'powers' | 'accounts' | 'scheme'>;

/** See the file comment. The first validator only ever gets more. */
export class StakeChanges implements Companion {
  readonly #simulation: Simulation;
  readonly #options: StakeOptions;
  /** Secrets of the newcomers' consensus keys. */
  readonly #joining: readonly Uint8Array[];
  /** By operator: those of the genesis first. */
  readonly #sequences: number[];
  /** The last of the genesis is never there, does nothing, and has to be jailed for it. */
  readonly #jails: boolean;
  #changesAtHeal = 0;

  constructor(
    simulation: Simulation,
    options: StakeOptions & { readonly joining: readonly Uint8Array[]; readonly jails: boolean },
  ) {
    this.#simulation = simulation;
    this.#options = options;
    this.#joining = options.joining;
    this.#jails = options.jails;
    this.#sequences = Array.from({ length: options.powers.length + options.joining.length }, () => 0);
  }

  start(): void {
    const { scheduler } = this.#simulation;
    const act = (): void => {
      this.#act();
      scheduler.after(BETWEEN_MS_MIN + scheduler.random.below(BETWEEN_MS_MAX), act);
    };
    scheduler.after(BETWEEN_MS_MIN, act);
  }

  healed(): void {
    this.#changesAtHeal = this.#changes();
  }

  isContent(): boolean {
    return this.#changes() > this.#changesAtHeal && (!this.#jails || this.#jailed());
  }

  complaint(): string {
    return `${this.#changes()} blocks changed powers, ${this.#changesAtHeal} before the heal; jailed: ${this.#jailed()}`;
  }

  #jailed(): boolean {
    return [...this.#simulation.chain.values()].some(({ results }) =>
      results.events.some(({ attributes }) => attributes.some(({ value }) => value === 'missing_signature')),
    );
  }

  #changes(): number {
    return [...this.#simulation.chain.values()].filter(({ results }) => results.validatorUpdates.length > 0)
      .length;
  }

  #act(): void {
    const { machines, scheduler } = this.#simulation;
    const { random } = scheduler;
    const operator = random.below(this.#sequences.length);
    if (this.#jails && operator === this.#options.powers.length - 1) return;
    const machine = random.pick(machines.filter(({ state }) => state === 'up'));
    const sequence = this.#sequences[operator] ?? 0;
    const message = this.#message(operator, sequence);
    if (machine?.core === undefined) return;
    const from = this.#options.accounts + operator;
    const tx = signedTx({ from, sequence, messages: [message], gas: GAS });
    machine.core.mempool.checkTx(tx).then(
      ({ code }) => {
        if (code === 0) this.#sequences[operator] = sequence + 1;
        else if (random.percent(30)) this.#sequences[operator] = Math.max(0, sequence - 1);
      },
      () => undefined, // it is known, or there is no room
    );
  }

  #message(operator: number, sequence: number): Any {
    const { random } = this.#simulation.scheduler;
    const account = clientAccount(this.#options.accounts + operator);
    const validatorAddress = operatorText(account, PREFIX);
    const newcomer = this.#joining[operator - this.#options.powers.length];
    if (newcomer !== undefined && sequence === 0) return this.#creation(validatorAddress, newcomer);
    const power = BigInt(1 + random.below(MOVED_POWER_MAX));
    const moved = { delegatorAddress: account.address, validatorAddress, amount: coinsOf(power) };
    const isMore = operator === 0 || random.percent(60);
    return isMore ? anyOf(MsgDelegate, moved) : anyOf(MsgUndelegate, moved);
  }

  #creation(validatorAddress: string, secret: Uint8Array): Any {
    const key = this.#options.scheme.makeSigner(secret, 'ed25519').publicKey;
    return anyOf(MsgCreateValidator, {
      description: { moniker: 'newcomer', identity: '', website: '', securityContact: '', details: '' },
      commission: {
        rate: Decimal.ofText('0.1').toWire(),
        maxRate: Decimal.ofText('0.2').toWire(),
        maxChangeRate: Decimal.ofText('0.01').toWire(),
      },
      minSelfDelegation: '1',
      delegatorAddress: '',
      validatorAddress,
      pubkey: anyOf(PubKey, { key }),
      value: coinsOf(NEWCOMER_POWER),
    });
  }
}

function coinsOf(power: bigint): { readonly denom: string; readonly amount: string } {
  return { denom: DENOM, amount: String(power * TOKENS_PER_POWER) };
}
