import { compareInstants } from '../../core/time.ts';
import type { Address } from '../../framework/address.ts';
import type { AnteFeeGrants, GrantedFee } from '../../framework/ante/ports.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { Grant } from '../../proto/gen/cosmos/feegrant/v1beta1/feegrant.ts';
import { expirationOf, readAllowance, spend, writeAllowance } from './allowance.ts';
import { type GrantEvent, grantEvent } from './events.ts';
import type { FeegrantPorts } from './ports.ts';
import type { FeegrantState } from './state.ts';
import type { Allowance } from './types.ts';

/** Who allows whom. */
export interface Parties {
  readonly granter: Address;
  readonly grantee: Address;
}

/** Sorts before every address, so that an end made of it stands before all entries of its time. */
const NO_ADDRESS = new Uint8Array(0);

/** Allowances, and the queue of those that end. Reads as often as the SDK does, so that gas agrees. */
export class FeeGrants implements AnteFeeGrants {
  readonly #state: FeegrantState;
  readonly #ports: FeegrantPorts;

  constructor(state: FeegrantState, ports: FeegrantPorts) {
    this.#state = state;
    this.#ports = ports;
  }

  find(context: ReadContext, { granter, grantee }: Parties): Grant | undefined {
    return this.#state.grants.get(context, [grantee, granter]);
  }

  /** @throws StateError (sdk 38) when there is none */
  require(context: ReadContext, parties: Parties): Grant {
    const grant = this.find(context, parties);
    if (grant === undefined) throw new StateError(sdkErrors.notFound, 'fee-grant not found');
    return grant;
  }

  /**
   * @throws StateError (sdk 18, 4) when there is one already, it has expired, or the grantee may not get an
   * account
   */
  grant(context: Context, parties: Parties, allowance: Allowance): void {
    const { accounts, bank, addresses } = this.#ports;
    if (this.find(context, parties) !== undefined) throw alreadyExists();
    if (accounts.find(context, parties.grantee) === undefined) {
      if (bank.isBlocked(parties.grantee))
        throw new StateError(
          sdkErrors.unauthorized,
          `${addresses.toText(parties.grantee)} is not allowed to receive funds`,
        );
      accounts.create(context, parties.grantee);
    }
    const expiration = expirationOf(allowance);
    if (expiration !== undefined && compareInstants(expiration, context.block.time) < 0)
      throw new StateError(sdkErrors.invalidRequest, 'expiration is before current block time');
    this.put(context, parties, allowance);
    this.#emit(context, 'set_feegrant', parties);
  }

  /** Stores an allowance that is new, with its place in the queue. */
  put(context: Context, parties: Parties, allowance: Allowance): void {
    const { granter, grantee } = parties;
    const expiration = expirationOf(allowance);
    if (expiration !== undefined) this.#state.queue.add(context, [expiration, grantee, granter]);
    this.#set(context, parties, allowance);
  }

  /** @throws StateError (sdk 38) when there is none */
  revoke(context: Context, parties: Parties): void {
    const { granter, grantee } = parties;
    const allowance = readAllowance(this.require(context, parties).allowance);
    this.#state.grants.remove(context, [grantee, granter]);
    const expiration = expirationOf(allowance);
    if (expiration !== undefined) this.#state.queue.remove(context, [expiration, grantee, granter]);
    this.#emit(context, 'revoke_feegrant', parties);
  }

  useGrantedFees(context: Context, { granter, grantee, fee, messages }: GrantedFee): void {
    const parties = { granter, grantee };
    const allowance = readAllowance(this.require(context, parties).allowance);
    const left = spend(context, allowance, { fee, messages });
    if (left === undefined) {
      this.revoke(context, parties);
      this.#emit(context, 'use_feegrant', parties);
      return;
    }
    this.#emit(context, 'use_feegrant', parties);
    this.require(context, parties);
    this.#set(context, parties, left);
    this.#emit(context, 'update_feegrant', parties);
  }

  /** Removes allowances that have expired, the oldest first, at most as many. */
  prune(context: Context, countMax: number): void {
    const range = { end: [context.block.time, NO_ADDRESS, NO_ADDRESS] as const };
    const expired: (readonly [Timestamp, Address, Address])[] = [];
    for (const entry of this.#state.queue.iterate(context, range)) {
      expired.push(entry);
      if (expired.length === countMax) break;
    }
    for (const entry of expired) {
      const [, grantee, granter] = entry;
      this.#state.queue.remove(context, entry);
      this.#state.grants.remove(context, [grantee, granter]);
    }
  }

  #set(context: Context, { granter, grantee }: Parties, allowance: Allowance): void {
    const { addresses } = this.#ports;
    this.#state.grants.set(context, [grantee, granter], {
      granter: addresses.toText(granter),
      grantee: addresses.toText(grantee),
      allowance: writeAllowance(allowance),
    });
  }

  #emit(context: Context, type: GrantEvent, { granter, grantee }: Parties): void {
    if (!context.recordsEvents) return;
    const { addresses } = this.#ports;
    context.emit(
      grantEvent(type, { granter: addresses.toText(granter), grantee: addresses.toText(grantee) }),
    );
  }
}

/** Only one allowance from one account to another. */
export function alreadyExists(): StateError {
  return new StateError(sdkErrors.invalidRequest, 'fee allowance already exists');
}
