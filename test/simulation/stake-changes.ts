/**
 * Operators who move stake, at their own validators and from there to others: powers go up and down,
 * newcomers become validators. Who was jailed for missing blocks comes back.
 */
import { toHex } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { Decimal } from '../../core/decimal.ts';
import { PubKey } from '../../proto/gen/cosmos/crypto/ed25519/keys.ts';
import { MsgUnjail } from '../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import {
  MsgBeginRedelegate,
  MsgCreateValidator,
  MsgDelegate,
  MsgUndelegate,
} from '../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import { operatorText } from '../support/staking-world.ts';
import { anyOf } from '../support/test-chain.ts';
import { AddressCodec } from '../../framework/address.ts';
import { clientAccount, PREFIX, signedTx, TOKENS_PER_POWER, validatorSeed } from './chain.ts';
import type { CommittedBlock } from '../../node/committed-block.ts';
import type { Companion } from './companion.ts';
import type { Simulation, SimulationOptions } from './simulation.ts';

const BETWEEN_MS_MIN = 50;
const BETWEEN_MS_MAX = 300;
const GAS = 1_000_000n;
const NEWCOMER_POWER = 10n;
const MOVED_POWER_MAX = 4;
const DENOM = 'uopen';
const ADDRESS_BYTES = 20;
const consensusAddresses = new AddressCodec(`${PREFIX}valcons`);

type StakeOptions = Pick<SimulationOptions, 'powers' | 'accounts' | 'scheme'>;

/** A consensus key as events and updates name it. */
interface KeyNames {
  readonly address: string;
  readonly hex: string;
}

/** See the file comment. The first validator only ever gets more, and nobody gets it from another. */
export class StakeChanges implements Companion {
  readonly #simulation: Simulation;
  readonly #options: StakeOptions;
  /** Secrets of the newcomers' consensus keys. */
  readonly #joining: readonly Uint8Array[];
  /** By operator: those of the genesis first. */
  readonly #sequences: number[];
  /** The last of the genesis is never there, and has to be jailed for it, and to come back. */
  readonly #jails: boolean;
  /** By operator. */
  readonly #keys: readonly KeyNames[];
  /** Operators whose validators are in jail. */
  readonly #jailed = new Set<number>();
  #read = 0n;
  #jailings = 0;
  #returns = 0;
  #changes = 0;
  #changesAtHeal = 0;

  constructor(
    simulation: Simulation,
    options: StakeOptions & { readonly joining: readonly Uint8Array[]; readonly jails: boolean },
  ) {
    this.#simulation = simulation;
    this.#options = options;
    this.#joining = options.joining;
    this.#jails = options.jails;
    const { scheme, powers } = options;
    const secrets = [...powers.map((_, i) => validatorSeed(i)), ...options.joining];
    this.#keys = secrets.map((secret) => {
      const key = scheme.makeSigner(secret, 'ed25519').publicKey;
      const address = consensusAddresses.toText(sha256(key).subarray(0, ADDRESS_BYTES));
      return { address, hex: toHex(key) };
    });
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
    this.#readBlocks();
    this.#changesAtHeal = this.#changes;
  }

  isContent(): boolean {
    this.#readBlocks();
    return this.#changes > this.#changesAtHeal && (!this.#jails || this.#returns > 0);
  }

  complaint(): string {
    const changes = `${this.#changes} blocks changed powers, ${this.#changesAtHeal} before the heal`;
    return `${changes}; ${this.#jailings} were jailed, ${this.#returns} came back`;
  }

  #readBlocks(): void {
    const { chain } = this.#simulation;
    for (let next = chain.get(this.#read + 1n); next !== undefined; next = chain.get(this.#read + 1n)) {
      this.#read++;
      this.#readBlock(next);
    }
  }

  #readBlock({ results }: CommittedBlock): void {
    if (results.validatorUpdates.length > 0) this.#changes++;
    for (const { attributes } of results.events) {
      if (!attributes.some(({ value }) => value === 'missing_signature')) continue;
      this.#jailings++;
      const named = (address: string): boolean => attributes.some(({ value }) => value === address);
      const operator = this.#keys.findIndex(({ address }) => named(address));
      if (operator >= 0) this.#jailed.add(operator);
    }
    for (const { pubKey, power } of results.validatorUpdates) {
      const operator = this.#keys.findIndex(({ hex }) => hex === toHex(pubKey.ed25519 ?? new Uint8Array(0)));
      if (power > 0n && this.#jailed.delete(operator)) this.#returns++;
    }
  }

  #act(): void {
    const { machines, scheduler } = this.#simulation;
    const { random } = scheduler;
    this.#readBlocks();
    const jailed = random.percent(50) ? random.pick([...this.#jailed]) : undefined;
    const operator = jailed ?? random.below(this.#sequences.length);
    if (this.#isAway(operator) && jailed === undefined) return;
    const machine = random.pick(machines.filter(({ state }) => state === 'up'));
    const sequence = this.#sequences[operator] ?? 0;
    const message = jailed === undefined ? this.#message(operator, sequence) : this.#unjailing(operator);
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
    const validatorAddress = this.#operatorText(operator);
    const newcomer = this.#joining[operator - this.#options.powers.length];
    if (newcomer !== undefined && sequence === 0) return this.#creation(validatorAddress, newcomer);
    const power = BigInt(1 + random.below(MOVED_POWER_MAX));
    const moved = { delegatorAddress: account.address, validatorAddress, amount: coinsOf(power) };
    if (operator === 0 || random.percent(50)) return anyOf(MsgDelegate, moved);
    const other = 1 + random.below(this.#options.powers.length - 1);
    if (other === operator || this.#isAway(other) || random.percent(50)) return anyOf(MsgUndelegate, moved);
    return anyOf(MsgBeginRedelegate, {
      delegatorAddress: account.address,
      validatorSrcAddress: validatorAddress,
      validatorDstAddress: this.#operatorText(other),
      amount: moved.amount,
    });
  }

  /** It comes too early now and then. */
  #unjailing(operator: number): Any {
    return anyOf(MsgUnjail, { validatorAddr: this.#operatorText(operator) });
  }

  #isAway(operator: number): boolean {
    return this.#jails && operator === this.#options.powers.length - 1;
  }

  #operatorText(operator: number): string {
    return operatorText(clientAccount(this.#options.accounts + operator), PREFIX);
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
