import { Decimal } from '../../core/decimal.ts';
import type { JsonObject, JsonReader } from '../../framework/json.ts';
import { decimalFromJson } from '../../framework/json-fields.ts';
import type { GenesisHandler } from '../../framework/module.ts';
import { INITIAL_MINTER } from './minter.ts';
import { DEFAULT_PARAMS, paramsFromJson, paramsToJson, withoutInflation } from './params.ts';
import type { MintCore } from './ports.ts';
import type { Minter, MintParams } from './types.ts';

/** Largest inflation that a chain may begin with: a hundredfold supply in a year. */
const INFLATION_MAX = Decimal.ofInteger(100n);

interface MintGenesis {
  readonly minter: Minter;
  readonly params: MintParams;
}

/** Genesis of mint, in x/mint's shape. */
export function mintGenesis({ state }: MintCore): GenesisHandler {
  return {
    defaults: () => genesisToJson({ minter: INITIAL_MINTER, params: DEFAULT_PARAMS }),
    validate: (json) => void readGenesis(json),
    init(context, json) {
      const { minter, params } = readGenesis(json);
      state.minter.set(context, minter);
      state.params.set(context, params);
      return [];
    },
    export: (context) =>
      genesisToJson({
        minter: state.minter.get(context) ?? INITIAL_MINTER,
        params: state.params.get(context) ?? DEFAULT_PARAMS,
      }),
  };
}

function readGenesis(json: JsonReader): MintGenesis {
  json.onlyMembers('minter', 'params');
  const minter = json.member('minter');
  minter.onlyMembers('inflation', 'annual_provisions');
  const inflation = decimalFromJson(minter.member('inflation'));
  if (inflation.sign < 0) minter.member('inflation').fail(`should be positive, is ${inflation}`);
  // A block brings inflation within the parameters' bounds, which are at most 1; what is far beyond would overflow before.
  if (inflation.greaterThan(INFLATION_MAX))
    minter.member('inflation').fail(`should be at most ${INFLATION_MAX}, is ${inflation}`);
  const annualProvisions = decimalFromJson(minter.member('annual_provisions'));
  if (annualProvisions.sign < 0)
    minter.member('annual_provisions').fail(`should be positive, is ${annualProvisions}`);
  return { minter: { inflation, annualProvisions }, params: paramsFromJson(json.member('params')) };
}

function genesisToJson({ minter, params }: MintGenesis): JsonObject {
  return {
    minter: {
      inflation: minter.inflation.toString(),
      annual_provisions: minter.annualProvisions.toString(),
    },
    params: paramsToJson(params),
  };
}

/** The section of a chain whose supply stays as its genesis says. */
export function sectionWithoutInflation(mintDenom: string): JsonObject {
  const inflation = withoutInflation(mintDenom).inflationMax;
  return genesisToJson({ minter: { ...INITIAL_MINTER, inflation }, params: withoutInflation(mintDenom) });
}
