/** What an operation sees when it makes up messages. */
import type { Composition } from '../../app/modules.ts';
import { moduleAddress } from '../../framework/address.ts';
import type { QueryContext, Timestamp } from '../../framework/context.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import type { Actor } from './actors.ts';
import type { Memory } from './memory.ts';
import type { Random } from './random.ts';

/** What is staked, minted and deposited. */
export const BOND_DENOM = 'uopen';

/** What is only money. */
export const OTHER_DENOM = 'uusd';

/** Largest fee in it. */
export const FEE_MAX = 3000n;

const TRIES_MAX = 4;

/** The last committed state, and who there is. */
export interface World {
  readonly random: Random;
  readonly composition: Composition;
  /** State of the last commit. */
  readonly context: QueryContext;
  readonly time: Timestamp;
  readonly height: bigint;
  readonly actors: readonly Actor[];
  readonly memory: Memory;
}

/** Messages and who signs them. */
export interface Draft {
  readonly signers: readonly Actor[];
  readonly messages: readonly Any[];
}

/** One kind of thing that people do. */
export interface Operation {
  readonly name: string;
  /** How often, compared with the others. */
  readonly weight: number;
  /** Undefined when there is nothing to do it with. */
  readonly draft: (world: World) => Draft | undefined;
}

/** One of several, by their weights, of those that have something to do. */
export function anyOfThem(name: string, weight: number, operations: readonly Operation[]): Operation {
  return {
    name,
    weight,
    draft(world) {
      let left = operations;
      while (left.length > 0) {
        const all = left.reduce((sum, one) => sum + one.weight, 0);
        let at = world.random.below(all);
        const chosen = left.find((one) => {
          at -= one.weight;
          return at < 0;
        });
        const draft = chosen?.draft(world);
        if (draft !== undefined) return draft;
        left = left.filter((one) => one !== chosen);
      }
      return undefined;
    },
  };
}

/** An operation of one message of one signer. */
export function operation<M>(
  type: MessageType<M>,
  weight: number,
  make: (world: World, signer: Actor) => M | undefined,
  signerOf: (world: World) => Actor | undefined = anyone,
): Operation {
  return {
    name: type.name,
    weight,
    draft(world) {
      const signer = signerOf(world);
      const value = signer === undefined ? undefined : make(world, signer);
      if (signer === undefined || value === undefined) return undefined;
      return { signers: [signer], messages: [{ typeUrl: type.typeUrl, value: type.encode(value) }] };
    },
  };
}

/** Anyone at all, but seldom somebody who cannot pay a fee. */
export function anyone(world: World): Actor {
  const { random, actors } = world;
  for (let tries = 0; ; tries++) {
    const actor = random.pick(actors);
    if (tries === TRIES_MAX || random.oneIn(15) || balanceOf(world, actor) >= FEE_MAX) return actor;
  }
}

/** Whoever has this address, if it is one of the actors. */
export function actorAt({ actors }: World, address: string): Actor | undefined {
  return actors.find((actor) => actor.address === address);
}

/** Whoever operates a validator that there is. */
export function anOperator(world: World): Actor | undefined {
  const { random, composition, context } = world;
  const validators = [...composition.staking.validators(context)];
  const validator = random.some(validators);
  if (validator === undefined) return undefined;
  return actorAt(world, composition.addresses.toText(validator.operator));
}

/** Text of a validator that there is, mostly; else of one that is none. */
export function aValidator(world: World): string {
  return (world.random.oneIn(30) ? anyone(world) : (anOperator(world) ?? anyone(world))).operator;
}

/** What an account has of a denomination. */
export function balanceOf(
  { composition, context }: World,
  { bytes }: Actor,
  denom: string = BOND_DENOM,
): bigint {
  return composition.bank.balance(context, bytes, denom);
}

/** Part of what an account has; seldom more than that. */
export function someOf(world: World, actor: Actor, denom: string = BOND_DENOM): bigint {
  const balance = balanceOf(world, actor, denom);
  return world.random.oneIn(40) ? balance + 1n : world.random.amount(balance / 4n);
}

/** An amount as messages have it. */
export function coin(
  amount: bigint,
  denom: string = BOND_DENOM,
): { readonly denom: string; readonly amount: string } {
  return { denom, amount: amount.toString() };
}

/** One or two coins of an account. */
export function someCoins(world: World, actor: Actor): readonly ReturnType<typeof coin>[] {
  const { random } = world;
  const [bond, other] = [BOND_DENOM, OTHER_DENOM].map((denom) => coin(someOf(world, actor, denom), denom));
  if (bond === undefined || other === undefined) return [];
  return random.oneIn(3) ? [bond, other] : [random.oneIn(2) ? bond : other];
}

/** The account of governance. */
export function authority({ composition }: Pick<World, 'composition'>): string {
  return composition.addresses.toText(moduleAddress('gov'));
}

/** A moment so many seconds from now. */
export function later({ time }: World, seconds: number): Timestamp {
  return { seconds: time.seconds + BigInt(seconds), nanos: time.nanos };
}

/** A message as it stands in a transaction. */
export function packed<M>(type: MessageType<M>, value: M): Any {
  return { typeUrl: type.typeUrl, value: type.encode(value) };
}
