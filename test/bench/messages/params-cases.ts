/** What governance does: changes of parameters, each to what they are already, and plans of upgrades. */
import type { MessageType } from '../../../proto/codec/message.ts';
import * as attributionQuery from '../../../proto/gen/openledger/attribution/v1/query.ts';
import * as attribution from '../../../proto/gen/openledger/attribution/v1/tx.ts';
import * as authQuery from '../../../proto/gen/cosmos/auth/v1beta1/query.ts';
import * as auth from '../../../proto/gen/cosmos/auth/v1beta1/tx.ts';
import * as bankQuery from '../../../proto/gen/cosmos/bank/v1beta1/query.ts';
import * as bank from '../../../proto/gen/cosmos/bank/v1beta1/tx.ts';
import * as consensusQuery from '../../../proto/gen/cosmos/consensus/v1/query.ts';
import * as consensus from '../../../proto/gen/cosmos/consensus/v1/tx.ts';
import * as datanetQuery from '../../../proto/gen/openledger/datanet/v1/query.ts';
import * as datanet from '../../../proto/gen/openledger/datanet/v1/tx.ts';
import * as distributionQuery from '../../../proto/gen/cosmos/distribution/v1beta1/query.ts';
import * as distribution from '../../../proto/gen/cosmos/distribution/v1beta1/tx.ts';
import * as govQuery from '../../../proto/gen/cosmos/gov/v1/query.ts';
import * as gov from '../../../proto/gen/cosmos/gov/v1/tx.ts';
import * as mintQuery from '../../../proto/gen/cosmos/mint/v1beta1/query.ts';
import * as mint from '../../../proto/gen/cosmos/mint/v1beta1/tx.ts';
import * as modelsQuery from '../../../proto/gen/openledger/models/v1/query.ts';
import * as models from '../../../proto/gen/openledger/models/v1/tx.ts';
import * as channelsQuery from '../../../proto/gen/openledger/channels/v1/query.ts';
import * as channels from '../../../proto/gen/openledger/channels/v1/tx.ts';
import * as paymentsQuery from '../../../proto/gen/openledger/payments/v1/query.ts';
import * as payments from '../../../proto/gen/openledger/payments/v1/tx.ts';
import * as poolsQuery from '../../../proto/gen/openledger/pools/v1/query.ts';
import * as pools from '../../../proto/gen/openledger/pools/v1/tx.ts';
import * as settlementQuery from '../../../proto/gen/openledger/settlement/v1/query.ts';
import * as settlement from '../../../proto/gen/openledger/settlement/v1/tx.ts';
import * as slashingQuery from '../../../proto/gen/cosmos/slashing/v1beta1/query.ts';
import * as slashing from '../../../proto/gen/cosmos/slashing/v1beta1/tx.ts';
import * as stakingQuery from '../../../proto/gen/cosmos/staking/v1beta1/query.ts';
import * as staking from '../../../proto/gen/cosmos/staking/v1beta1/tx.ts';
import { MsgCancelUpgrade, MsgSoftwareUpgrade } from '../../../proto/gen/cosmos/upgrade/v1beta1/tx.ts';
import { Plan } from '../../../proto/gen/cosmos/upgrade/v1beta1/upgrade.ts';
import { anyWith, caseOf, type MessageCases } from './case.ts';
import type { MessageWorld } from './world.ts';

interface Update<P> {
  readonly authority: string;
  readonly params: P;
}

/** What the module's `Params` query answers. */
function asked<A>(world: MessageWorld, service: string, response: MessageType<A>): A {
  const path = `/${service}.Query/Params`;
  const routes = world.composition.modules.flatMap(({ queries }) => queries);
  const route = routes.find((query) => query.path === path);
  if (route === undefined) throw new RangeError(`there is no query ${path}`);
  return response.decode(route.answer(world.context, new Uint8Array(0)));
}

function paramsOf<P>(
  update: MessageType<Update<P>>,
  response: MessageType<{ readonly params: P | undefined }>,
): MessageCases {
  const service = update.typeUrl.slice(1, update.typeUrl.lastIndexOf('.'));
  const make = (world: MessageWorld): ReturnType<typeof anyWith> => {
    const { params } = asked(world, service, response);
    if (params === undefined) throw new RangeError(`${service} answers without parameters`);
    return anyWith(update, { authority: world.authority, params });
  };
  return { [update.typeUrl]: { make } };
}

/** Far away: no block gets there. */
const PLAN_HEIGHT = 1_000_000_000n;

function plan(i: number): Plan {
  return Plan.create({ name: `upgrade ${i}`, height: PLAN_HEIGHT, info: 'https://example.com' });
}

/** See the file comment. */
export const PARAMS_CASES: MessageCases = {
  ...paramsOf(attribution.MsgUpdateParams, attributionQuery.QueryParamsResponse),
  ...paramsOf(auth.MsgUpdateParams, authQuery.QueryParamsResponse),
  ...paramsOf(bank.MsgUpdateParams, bankQuery.QueryParamsResponse),
  ...paramsOf(channels.MsgUpdateParams, channelsQuery.QueryParamsResponse),
  ...paramsOf(datanet.MsgUpdateParams, datanetQuery.QueryParamsResponse),
  ...paramsOf(distribution.MsgUpdateParams, distributionQuery.QueryParamsResponse),
  ...paramsOf(gov.MsgUpdateParams, govQuery.QueryParamsResponse),
  ...paramsOf(mint.MsgUpdateParams, mintQuery.QueryParamsResponse),
  ...paramsOf(models.MsgUpdateParams, modelsQuery.QueryParamsResponse),
  ...paramsOf(payments.MsgUpdateParams, paymentsQuery.QueryParamsResponse),
  ...paramsOf(pools.MsgUpdateParams, poolsQuery.QueryParamsResponse),
  ...paramsOf(settlement.MsgUpdateParams, settlementQuery.QueryParamsResponse),
  ...paramsOf(slashing.MsgUpdateParams, slashingQuery.QueryParamsResponse),
  ...paramsOf(staking.MsgUpdateParams, stakingQuery.QueryParamsResponse),
  ...caseOf(MsgSoftwareUpgrade, ({ authority }, i) => ({ authority, plan: plan(i) })),
  ...caseOf(MsgCancelUpgrade, (world, i) => {
    const { authority } = world;
    world.run(anyWith(MsgSoftwareUpgrade, { authority, plan: plan(i) }));
    return { authority };
  }),
  [consensus.MsgUpdateParams.typeUrl]: {
    make: (world) => {
      const { params } = asked(world, 'cosmos.consensus.v1', consensusQuery.QueryParamsResponse);
      return anyWith(consensus.MsgUpdateParams, { ...params, authority: world.authority });
    },
  },
};
