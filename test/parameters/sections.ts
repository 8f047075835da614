/** Every module with parameters: their type, the message that changes them, where a chain begins, the table. */
import type { JsonObject } from '../../framework/json.ts';
import { consensusParamsToJson } from '../../genesis/params-json.ts';
import { DEFAULT_CONSENSUS_PARAMS } from '../../modules/consensus/params.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { Params as AuthParams } from '../../proto/gen/cosmos/auth/v1beta1/auth.ts';
import { Params as BankParams } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';
import { Params as DistributionParams } from '../../proto/gen/cosmos/distribution/v1beta1/distribution.ts';
import { Params as GovParams } from '../../proto/gen/cosmos/gov/v1/gov.ts';
import { Params as MintParams } from '../../proto/gen/cosmos/mint/v1beta1/mint.ts';
import { Params as SlashingParams } from '../../proto/gen/cosmos/slashing/v1beta1/slashing.ts';
import { Params as StakingParams } from '../../proto/gen/cosmos/staking/v1beta1/staking.ts';
import { Params as AttributionParams } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { Params as ChannelParams } from '../../proto/gen/openledger/channels/v1/channels.ts';
import { Params as DatanetParams } from '../../proto/gen/openledger/datanet/v1/datanet.ts';
import { Params as ModelParams } from '../../proto/gen/openledger/models/v1/models.ts';
import { Params as PaymentParams } from '../../proto/gen/openledger/payments/v1/payments.ts';
import { Params as PoolParams } from '../../proto/gen/openledger/pools/v1/pools.ts';
import { Params as SettlementParams } from '../../proto/gen/openledger/settlement/v1/settlement.ts';
import { ConsensusParams } from '../../proto/gen/tendermint/types/params.ts';
import * as chain from './chain-rows.ts';
import * as native from './native-rows.ts';
import type { Row } from './row.ts';

/** One module's parameters. */
export interface Section {
  readonly module: string;
  readonly type: MessageType<unknown>;
  /** Type URL of its `MsgUpdateParams`. */
  readonly update: string;
  readonly rows: readonly Row[];
  /** Where it checks them. */
  readonly check: string;
}

function section<P>(module: string, type: MessageType<P>, rows: readonly Row[]): Section {
  const update = `${type.typeUrl.slice(0, type.typeUrl.lastIndexOf('.'))}.MsgUpdateParams`;
  const check = `\`validateParams\` in modules/${module}/params.ts`;
  return { module, type, update, rows, check };
}

/** All of them. */
export const SECTIONS: readonly Section[] = [
  {
    module: 'consensus',
    type: ConsensusParams,
    update: '/cosmos.consensus.v1.MsgUpdateParams',
    rows: chain.CONSENSUS_ROWS,
    check: '`validateConsensusParams` in modules/consensus/params.ts',
  },
  section('auth', AuthParams, chain.AUTH_ROWS),
  section('bank', BankParams, chain.BANK_ROWS),
  section('staking', StakingParams, chain.STAKING_ROWS),
  section('slashing', SlashingParams, chain.SLASHING_ROWS),
  section('distribution', DistributionParams, chain.DISTRIBUTION_ROWS),
  section('mint', MintParams, chain.MINT_ROWS),
  section('gov', GovParams, chain.GOV_ROWS),
  section('datanet', DatanetParams, native.DATANET_ROWS),
  section('models', ModelParams, native.MODELS_ROWS),
  section('attribution', AttributionParams, native.ATTRIBUTION_ROWS),
  section('payments', PaymentParams, native.PAYMENTS_ROWS),
  section('channels', ChannelParams, native.CHANNELS_ROWS),
  section('pools', PoolParams, native.POOLS_ROWS),
  section('settlement', SettlementParams, native.SETTLEMENT_ROWS),
];

/** Consensus parameters of the genesis document. */
export const CONSENSUS_JSON: JsonObject = consensusParamsToJson(DEFAULT_CONSENSUS_PARAMS);

/** Fields of a type with those of its messages, but not of times and coins: `block.max_bytes`. */
export function fieldPaths(type: MessageType<unknown>): readonly string[] {
  return type.fields.flatMap(({ protoName, rule, value }) => {
    if (value.kind !== 'message' || rule === 'repeated') return [protoName];
    const inner = value.message();
    return inner.name.startsWith('google.protobuf.')
      ? [protoName]
      : fieldPaths(inner).map((path) => `${protoName}.${path}`);
  });
}
