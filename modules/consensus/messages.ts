import { type AddressCodec, moduleAddress } from '../../framework/address.ts';
import { invalidAuthority, StateError } from '../../framework/errors.ts';
import { type MessageRoute, messageRoute } from '../../framework/message.ts';
import { MsgUpdateParams, MsgUpdateParamsResponse } from '../../proto/gen/cosmos/consensus/v1/tx.ts';
import type { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import type { Consensus } from './keeper.ts';
import { requireKeyTypes, validateConsensusParams } from './params.ts';

/** `cosmos.consensus.v1.Msg`: only the governance account may change parameters. */
export function consensusMessages(keeper: Consensus, addresses: AddressCodec): readonly MessageRoute[] {
  return [
    messageRoute<MsgUpdateParams, MsgUpdateParamsResponse, ConsensusParams>({
      type: MsgUpdateParams,
      response: MsgUpdateParamsResponse,
      signers: (message) => [message.authority],
      validate: (message) => validateConsensusParams({ ...message, version: undefined }),
      check(context, { authority, block, evidence, validator, abci }) {
        const expected = addresses.toText(moduleAddress('gov'));
        if (authority !== expected)
          throw new StateError(invalidAuthority, `invalid authority; expected ${expected}, got ${authority}`);
        const { version, abci: abciBefore } = keeper.params(context);
        const params = { block, evidence, validator, version, abci: abci ?? abciBefore };
        const validators = keeper.validators(context);
        validateConsensusParams(params, validators.length);
        requireKeyTypes(
          params,
          validators.map(({ pubKey }) => pubKey),
        );
        return params;
      },
      execute(context, _, params) {
        keeper.setParams(context, params);
        return {};
      },
    }),
  ];
}
