import { Params } from '../../../proto/gen/openledger/attribution/v1/attribution.ts';

/** Limits of claims as a new chain has them. */
export const ATTRIBUTION_PARAMS: Params = Params.create({
  spansMax: 64,
  spanBytesMin: 16,
  spanBytesMax: 4096,
  answerBytesMax: 1n << 20n,
  proofBytesMax: 262_144,
  occurrencesMax: 64,
});
