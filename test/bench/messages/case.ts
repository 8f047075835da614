/** What a message type needs to be measured. */
import type { MessageType } from '../../../proto/codec/message.ts';
import type { Coin } from '../../../proto/gen/cosmos/base/v1beta1/coin.ts';
import type { Any } from '../../../proto/gen/google/protobuf/any.ts';
import type { MessageWorld } from './world.ts';

/** Makes one message, after running whatever has to be there first. Each call takes accounts of its own. */
export type MakeMessage = (world: MessageWorld, i: number) => Any;

/** One message type. */
export interface MessageCase {
  readonly make: MakeMessage;
}

/** Cases by type URL. */
export type MessageCases = Readonly<Record<string, MessageCase>>;

/** A message in its envelope; what is not given is empty. */
export function anyWith<M>(type: MessageType<M>, value: Partial<M>): Any {
  return { typeUrl: type.typeUrl, value: type.encode(type.create(value)) };
}

/** So many `uopen`. */
export function coin(amount: number): Coin {
  return { denom: 'uopen', amount: `${amount}` };
}

/** A case of this type. */
export function caseOf<M>(
  type: MessageType<M>,
  make: (world: MessageWorld, i: number) => Partial<M>,
): MessageCases {
  const made: MakeMessage = (world, i) => anyWith(type, make(world, i));
  return { [type.typeUrl]: { make: made } };
}
