import { isDenom } from '../../framework/coins.ts';
import type { JsonReader, JsonValue } from '../../framework/json.ts';
import type { DenomUnit, Metadata } from '../../proto/gen/cosmos/bank/v1beta1/bank.ts';

/** Most decimal places of a unit: no 256-bit amount has more. */
const EXPONENT_MAX = 77n;

/** Metadata of a denomination from a genesis document, checked as x/bank checks it. */
export function metadataFromJson(json: JsonReader): Metadata {
  const metadata: Metadata = {
    description: json.member('description').textOr(''),
    denomUnits: json.member('denom_units').elements().map(unitFromJson),
    base: json.member('base').text(),
    display: json.member('display').text(),
    name: json.member('name').text(),
    symbol: json.member('symbol').text(),
    uri: json.member('uri').textOr(''),
    uriHash: json.member('uri_hash').textOr(''),
  };
  const problem = problemOfMetadata(metadata);
  return problem === undefined ? metadata : json.fail(problem);
}

/** Metadata in a genesis document. */
export function metadataToJson(metadata: Metadata): JsonValue {
  const { description, denomUnits, base, display, name, symbol, uri, uriHash } = metadata;
  const units = denomUnits.map(({ denom, exponent, aliases }) => ({ denom, exponent, aliases }));
  return { description, denom_units: units, base, display, name, symbol, uri, uri_hash: uriHash };
}

function unitFromJson(json: JsonReader): DenomUnit {
  const exponent = json.member('exponent');
  const value = exponent.present ? exponent.uint64() : 0n;
  if (value > EXPONENT_MAX) exponent.fail(`is more than ${EXPONENT_MAX}`);
  const aliases = json
    .member('aliases')
    .elements()
    .map((alias) => alias.text());
  return { denom: json.member('denom').text(), exponent: Number(value), aliases };
}

function problemOfMetadata({ name, symbol, base, display, denomUnits }: Metadata): string | undefined {
  if (name.trim() === '') return 'name field cannot be blank';
  if (symbol.trim() === '') return 'symbol field cannot be blank';
  if (!isDenom(base)) return `invalid metadata base denom: ${base}`;
  if (!isDenom(display)) return `invalid metadata display denom: ${display}`;
  const [first] = denomUnits;
  if (first?.denom !== base || first.exponent !== 0)
    return `metadata's first denomination unit must be the one with base denom '${base}' and exponent 0`;
  for (let i = 1; i < denomUnits.length; i++)
    if ((denomUnits[i]?.exponent ?? 0) <= (denomUnits[i - 1]?.exponent ?? 0))
      return 'denom units should be sorted asc by exponent';
  if (new Set(denomUnits.map((unit) => unit.denom)).size !== denomUnits.length)
    return 'duplicate denomination unit';
  if (!denomUnits.some((unit) => unit.denom === display))
    return `metadata must contain a denomination unit with display denom '${display}'`;
  return undefined;
}
