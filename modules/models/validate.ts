/** What a model, its price and its split must look like. */
import { utf8 } from '../../core/bytes.ts';
import { HASH_BYTES } from '../../core/hash.ts';
import { isDenom } from '../../framework/coins.ts';
import { StateError } from '../../framework/errors.ts';
import {
  AttributionMethod,
  type Params,
  Party,
  type Price,
  type SplitPolicy,
} from '../../proto/gen/openledger/models/v1/models.ts';
import type { MsgRegisterModel } from '../../proto/gen/openledger/models/v1/tx.ts';
import { modelErrors } from './errors.ts';

/** Decimal text of a rate: at most 30 digits, so that a fee stays far below 256 bits. */
const RATE = /^(?:0|[1-9][0-9]{0,29})$/;
const BPS_WHOLE = 10_000;
/** Token provenance names an index of each snapshot, and at most so many (attribution: `CLAIM_INDEXES_MAX`). */
const TOKEN_SNAPSHOTS_MAX = 4;

/** @throws StateError (models 2, 3, 4, 9) naming the field */
export function validateModel(message: MsgRegisterModel): void {
  const { weightsRoot, snapshotIds, parentIds, attributionMethod, royaltyBps } = message;
  const refuse = (detail: string): never => {
    throw new StateError(modelErrors.invalidModel, detail);
  };
  if (message.name.trim() === '') refuse('name is empty');
  if (weightsRoot.length !== HASH_BYTES)
    refuse(`weights_root has ${weightsRoot.length} bytes, must have ${HASH_BYTES}`);
  if (new Set(snapshotIds).size !== snapshotIds.length) refuse('a snapshot is named twice');
  if (new Set(parentIds).size !== parentIds.length) refuse('a parent is named twice');
  if (royaltyBps > BPS_WHOLE) refuse(`royalty_bps is ${royaltyBps}, more than the whole`);
  checkMethod(attributionMethod, snapshotIds.length);
  checkPolicy(message);
  validatePrice(message.price);
  if (message.split !== undefined) validateSplit(message.split);
}

/** A model that is attributed names the snapshots it quotes from, and only such a model does. */
function checkMethod(method: AttributionMethod, snapshots: number): void {
  const isSpan = method === AttributionMethod.ATTRIBUTION_METHOD_SPAN;
  const isPolicy = method === AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  if (!isSpan && !isPolicy && method !== AttributionMethod.ATTRIBUTION_METHOD_UNSPECIFIED)
    throw new StateError(
      modelErrors.methodNotSupported,
      `method ${method} cannot be used; span (1) and policy (5) can`,
    );
  if ((isSpan || isPolicy) === snapshots > 0) return;
  throw new StateError(
    modelErrors.invalidModel,
    isSpan || isPolicy
      ? 'attribution needs at least one snapshot to quote from'
      : 'snapshots need an attribution method; set attribution_method to span (1) or policy (5)',
  );
}

/** A policy divides the whole, and belongs to the method of that name. */
function checkPolicy({ attributionMethod, attributionPolicy: policy, snapshotIds }: MsgRegisterModel): void {
  const isPolicy = attributionMethod === AttributionMethod.ATTRIBUTION_METHOD_POLICY;
  if (isPolicy !== (policy !== undefined))
    throw new StateError(
      modelErrors.invalidModel,
      isPolicy
        ? 'attribution by policy needs an attribution_policy'
        : 'attribution_policy belongs to attribution_method policy (5)',
    );
  if (policy === undefined) return;
  const { tokenBps, influenceBps, retrievalBps } = policy;
  if (tokenBps + influenceBps + retrievalBps !== BPS_WHOLE)
    throw new StateError(modelErrors.invalidModel, 'the parts of attribution_policy must add up to 10000');
  if (tokenBps > 0 && snapshotIds.length > TOKEN_SNAPSHOTS_MAX)
    throw new StateError(
      modelErrors.invalidModel,
      `a policy with a token part and ${snapshotIds.length} snapshots: a claim names an index of each, at most ` +
        `${TOKEN_SNAPSHOTS_MAX}; name fewer snapshots, or set token_bps to 0`,
    );
}

/** @throws StateError (models 3) */
export function validatePrice(price: Price): void {
  if (!isDenom(price.denom))
    throw new StateError(modelErrors.invalidPrice, `'${price.denom.slice(0, 80)}' is no denomination`);
  for (const [field, text] of [
    ['in_per_1000', price.inPer1000],
    ['out_per_1000', price.outPer1000],
    ['per_call', price.perCall],
  ] as const)
    if (!RATE.test(text))
      throw new StateError(
        modelErrors.invalidPrice,
        `${field} must be a whole number of base units, at most 30 digits, got '${text.slice(0, 40)}'`,
      );
}

/** @throws StateError (models 4) unless the parts are the whole and the residual party is one of them */
export function validateSplit(split: SplitPolicy): void {
  const sum = split.platformBps + split.modelBps + split.stakersBps + split.contributorsBps;
  if (sum !== BPS_WHOLE)
    throw new StateError(
      modelErrors.invalidSplit,
      `the parts add up to ${sum} basis points, must be ${BPS_WHOLE}`,
    );
  if (split.residual < Party.PARTY_PLATFORM || split.residual > Party.PARTY_CONTRIBUTORS)
    throw new StateError(modelErrors.invalidSplit, `residual party ${split.residual} is none of 1 to 4`);
}

/**
 * The bounds that governance set bind a split when its model is registered, and never again: a version is
 * immutable, and keeps the split that its payers saw.
 * @throws StateError (models 4) when a part is below its floor or above its ceiling
 */
export function checkSplit(split: SplitPolicy, params: Params): void {
  validateSplit(split);
  for (const [part, bps, least, most] of [
    ['platform_bps', split.platformBps, params.platformBpsMin, params.platformBpsMax],
    ['model_bps', split.modelBps, params.modelBpsMin, params.modelBpsMax],
    ['stakers_bps', split.stakersBps, params.stakersBpsMin, params.stakersBpsMax],
    ['contributors_bps', split.contributorsBps, params.contributorsBpsMin, params.contributorsBpsMax],
  ] as const) {
    if (bps < least)
      throw new StateError(
        modelErrors.invalidSplit,
        `${part} is ${bps}, the chain asks for at least ${least}`,
      );
    if (most > 0 && bps > most)
      throw new StateError(modelErrors.invalidSplit, `${part} is ${bps}, the chain allows at most ${most}`);
  }
}

/** @throws StateError (models 2) when lists or texts are longer than the chain allows */
export function checkModelLimits(message: MsgRegisterModel, params: Params): void {
  if (message.snapshotIds.length > params.snapshotsMax)
    throw new StateError(
      modelErrors.invalidModel,
      `${message.snapshotIds.length} snapshots, at most ${params.snapshotsMax} are allowed`,
    );
  for (const [field, text] of [
    ['name', message.name],
    ['base_model', message.baseModel],
  ] as const)
    if (utf8(text).length > params.textBytesMax)
      throw new StateError(modelErrors.invalidModel, `${field} is longer than ${params.textBytesMax} bytes`);
}
