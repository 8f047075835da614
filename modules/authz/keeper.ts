import { compareInstants, formatInstant } from '../../core/time.ts';
import type { Address } from '../../framework/address.ts';
import type { BoundAuthorization } from '../../framework/authorization.ts';
import type { Context, ReadContext, Timestamp } from '../../framework/context.ts';
import { StateError, sdkErrors } from '../../framework/errors.ts';
import type { Grant } from '../../proto/gen/cosmos/authz/v1beta1/authz.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { Authorizations } from './authorizations.ts';
import { authzErrors } from './errors.ts';
import { granted, revoked } from './events.ts';
import type { AuthzPorts } from './ports.ts';
import type { AuthzState, QueueKey } from './state.ts';
import type { GrantPlace, Parties } from './types.ts';

/** Gas for each type of message looked at in an entry of the queue. */
const QUEUE_GAS = 20;

/** Sorts before every address, so that an end made of it stands before all entries of its time. */
const NO_ADDRESS = new Uint8Array(0);

/** Authorizations, and the queue of those that end. */
export class Grants {
  readonly authorizations: Authorizations;
  readonly #state: AuthzState;
  readonly #ports: AuthzPorts;

  constructor(state: AuthzState, ports: AuthzPorts, authorizations: Authorizations) {
    this.#state = state;
    this.#ports = ports;
    this.authorizations = authorizations;
  }

  find(context: ReadContext, { granter, grantee, typeUrl }: GrantPlace): Grant | undefined {
    return this.#state.grants.get(context, [granter, grantee, typeUrl]);
  }

  /**
   * Gives an authorization, in place of one for the same message.
   * @throws StateError (authz 3) when it would end at once
   */
  save(
    context: Context,
    parties: Parties,
    given: { readonly authorization: BoundAuthorization; readonly expiration: Timestamp | undefined },
  ): void {
    const { authorization, expiration } = given;
    const { time } = context.block;
    if (expiration !== undefined && compareInstants(expiration, time) <= 0)
      throw new StateError(
        authzErrors.invalidExpiration,
        `expiration must be after the current block time (${second(time)}), got ${second(expiration)}`,
      );
    const place = { ...parties, typeUrl: authorization.messageTypeUrl };
    const before = this.find(context, place)?.expiration;
    if (!sameTime(before, expiration)) {
      if (before !== undefined) this.#dequeue(context, place, before);
      if (expiration !== undefined) this.#enqueue(context, place, expiration);
    }
    this.#set(context, place, { authorization: authorization.any, expiration });
    context.emit(granted(this.#named(place)));
  }

  /** @throws StateError (authz 2) when there is none */
  remove(context: Context, place: GrantPlace): void {
    const grant = this.find(context, place);
    if (grant === undefined) throw this.notFound('failed to delete grant', place);
    if (grant.expiration !== undefined) this.#dequeue(context, place, grant.expiration);
    this.#state.grants.remove(context, [place.granter, place.grantee, place.typeUrl]);
    context.emit(revoked(this.#named(place)));
  }

  /** Stores what is left of an authorization. */
  update(context: Context, place: GrantPlace, authorization: Any): void {
    const grant = this.find(context, place);
    if (grant === undefined) throw new StateError(authzErrors.notFound);
    this.#set(context, place, { ...grant, authorization });
  }

  /**
   * Removes what has expired, the oldest first, until as much work is done: an entry of the queue and each
   * authorization in it count one.
   */
  dequeueExpired(context: Context, workMax: number): void {
    const range = { end: [context.block.time, NO_ADDRESS, NO_ADDRESS] as const };
    const expired: (readonly [QueueKey, readonly string[]])[] = [];
    let work = 0;
    for (const [key, { msgTypeUrls }] of this.#state.queue.iterate(context, range)) {
      expired.push([key, msgTypeUrls]);
      work += 1 + msgTypeUrls.length;
      if (work >= workMax) break;
    }
    for (const [key, typeUrls] of expired) {
      const [, granter, grantee] = key;
      this.#state.queue.remove(context, key);
      for (const typeUrl of typeUrls) this.#state.grants.remove(context, [granter, grantee, typeUrl]);
    }
  }

  /** @throws StateError (sdk 4) when there is no account and may not be one */
  ensureAccount(context: Context, address: Address): void {
    const { accounts, bank, addresses } = this.#ports;
    if (accounts.find(context, address) !== undefined) return;
    if (bank.isBlocked(address))
      throw new StateError(
        sdkErrors.unauthorized,
        `${addresses.toText(address)} is not allowed to receive funds`,
      );
    accounts.create(context, address);
  }

  /** There is no such authorization. */
  notFound(what: string, { granter, grantee, typeUrl }: GrantPlace): StateError {
    const { addresses } = this.#ports;
    const names = `granter: ${addresses.toText(granter)}, grantee: ${addresses.toText(grantee)}`;
    return new StateError(authzErrors.notFound, `${what} with given ${names} & msgType: ${typeUrl} `);
  }

  #set(context: Context, { granter, grantee, typeUrl }: GrantPlace, grant: Grant): void {
    this.#state.grants.set(context, [granter, grantee, typeUrl], grant);
  }

  #enqueue(context: Context, { granter, grantee, typeUrl }: GrantPlace, expiration: Timestamp): void {
    const key = [expiration, granter, grantee] as const;
    const msgTypeUrls = this.#state.queue.get(context, key)?.msgTypeUrls ?? [];
    this.#state.queue.set(context, key, { msgTypeUrls: [...msgTypeUrls, typeUrl] });
  }

  /**
   * The last type takes the place of the one that goes, as in the SDK; an entry that would be empty goes too.
   */
  #dequeue(context: Context, { granter, grantee, typeUrl }: GrantPlace, expiration: Timestamp): void {
    const key = [expiration, granter, grantee] as const;
    const item = this.#state.queue.get(context, key);
    if (item === undefined)
      throw new StateError(
        authzErrors.grantKeyNotFound,
        "can't remove grant from the expire queue, grant key not found",
      );
    const typeUrls = [...item.msgTypeUrls];
    const index = typeUrls.indexOf(typeUrl);
    context.gas.consume(QUEUE_GAS * (index < 0 ? typeUrls.length : index + 1), 'grant queue');
    if (index < 0) return;
    const last = typeUrls.pop();
    if (index < typeUrls.length && last !== undefined) typeUrls[index] = last;
    if (typeUrls.length === 0) this.#state.queue.remove(context, key);
    else this.#state.queue.set(context, key, { msgTypeUrls: typeUrls });
  }

  #named({ granter, grantee, typeUrl }: GrantPlace): {
    readonly msgTypeUrl: string;
    readonly granter: string;
    readonly grantee: string;
  } {
    const { addresses } = this.#ports;
    return {
      msgTypeUrl: typeUrl,
      granter: addresses.toText(granter),
      grantee: addresses.toText(grantee),
    };
  }
}

function sameTime(a: Timestamp | undefined, b: Timestamp | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return compareInstants(a, b) === 0;
}

/** As Go's `time.RFC3339` writes it. */
function second({ seconds }: Timestamp): string {
  return formatInstant({ seconds, nanos: 0 });
}
