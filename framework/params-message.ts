import type { MessageType } from '../proto/codec/message.ts';
import { type AddressCodec, moduleAddress } from './address.ts';
import type { Context } from './context.ts';
import { invalidAuthority, StateError } from './errors.ts';
import { type MessageRoute, messageRoute } from './message.ts';

/** A `MsgUpdateParams` as every module has it. */
interface UpdateParams<P> {
  readonly authority: string;
  readonly params: P;
}

/** Its types: the generated file of a module's messages. */
export interface ParamsMessageTypes<P> {
  readonly MsgUpdateParams: MessageType<UpdateParams<P>>;
  readonly MsgUpdateParamsResponse: MessageType<Readonly<Record<never, never>>>;
}

/** What a module says about its `MsgUpdateParams`. */
export interface ParamsMessage<P> {
  readonly addresses: AddressCodec;
  /** @throws StateError when the parameters cannot be used */
  validate(params: P): void;
  set(context: Context, params: P): void;
}

/** The handler of a `MsgUpdateParams`: replaces all parameters, for the governance account only. */
export function paramsMessage<P>(types: ParamsMessageTypes<P>, spec: ParamsMessage<P>): MessageRoute {
  return messageRoute({
    type: types.MsgUpdateParams,
    response: types.MsgUpdateParamsResponse,
    signers: ({ authority }) => [authority],
    validate: ({ params }) => spec.validate(params),
    check(_, { authority }) {
      const expected = spec.addresses.toText(moduleAddress('gov'));
      if (authority !== expected)
        throw new StateError(invalidAuthority, `invalid authority; expected ${expected}, got ${authority}`);
    },
    execute(context, { params }) {
      spec.set(context, params);
      return {};
    },
  });
}
