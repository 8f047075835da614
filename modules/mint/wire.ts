/** Minter and parameters as protobuf messages: in state, in queries. */
import { Decimal } from '../../core/decimal.ts';
import type { ValueCodec } from '../../framework/values.ts';
import * as wire from '../../proto/gen/cosmos/mint/v1beta1/mint.ts';
import type { Minter, MintParams } from './types.ts';

/** Parameters as the message has them. */
export function paramsToWire(params: MintParams): wire.Params {
  return {
    ...params,
    inflationRateChange: params.inflationRateChange.toWire(),
    inflationMax: params.inflationMax.toWire(),
    inflationMin: params.inflationMin.toWire(),
    goalBonded: params.goalBonded.toWire(),
  };
}

/** @throws LedgerError `decimal.text` when a rate is no decimal */
export function paramsOfWire(held: wire.Params): MintParams {
  return {
    ...held,
    inflationRateChange: Decimal.ofWire(held.inflationRateChange),
    inflationMax: Decimal.ofWire(held.inflationMax),
    inflationMin: Decimal.ofWire(held.inflationMin),
    goalBonded: Decimal.ofWire(held.goalBonded),
  };
}

/** Codec of the parameters. */
export const paramsValue: ValueCodec<MintParams> = {
  encode: (params) => wire.Params.encode(paramsToWire(params)),
  decode: (bytes) => paramsOfWire(wire.Params.decode(bytes)),
};

/** Codec of the minter. */
export const minterValue: ValueCodec<Minter> = {
  encode: ({ inflation, annualProvisions }) =>
    wire.Minter.encode({ inflation: inflation.toWire(), annualProvisions: annualProvisions.toWire() }),
  decode(bytes) {
    const { inflation, annualProvisions } = wire.Minter.decode(bytes);
    return {
      inflation: Decimal.ofWire(inflation),
      annualProvisions: Decimal.ofWire(annualProvisions),
    };
  },
};
