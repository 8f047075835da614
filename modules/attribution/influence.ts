/** Influence in claims: what a statement on a model card is worth to contributions, and what contradicts it. */
import { DecodeError } from '../../core/errors.ts';
import type { ReadContext } from '../../framework/context.ts';
import type { InfluenceStatement } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import type { Model } from '../../proto/gen/openledger/models/v1/models.ts';
import { activeCard, readCard } from './cards.ts';
import type { AttributionCore } from './core.ts';
import { refuseAs } from './errors.ts';
import { type Evidence, problemOfEvidence } from './evidence.ts';
import { checkClaim, decodeClaim, type InfluenceClaim } from './proof/influence/claim.ts';
import { verifyClaimFraud } from './proof/influence/claim-fraud.ts';
import { decodeClaimFraud, workOfInfluenceFraud } from './proof/influence/fraud.ts';
import type { NamedContributions } from './quotations.ts';
import { currentParams } from './versions.ts';
import type { Weight } from './weights.ts';

/** What a statement weighs. */
export interface InfluenceWeights {
  /** Of the contributions that it lists, by owner, ascending. */
  readonly listed: readonly Weight[];
  /** Of the others together. */
  readonly unlisted: bigint;
}

/**
 * Weights by a statement. Charges gas by its size.
 * @throws StateError (attribution 2, 14, 23, 25, 39)
 */
export function influenceWeights(
  k: AttributionCore,
  context: ReadContext,
  { cardId, statement }: InfluenceStatement,
  { model, named }: { readonly model: Model; readonly named: NamedContributions },
): InfluenceWeights {
  const { evidenceBytesMax, gasPerByte, gasPerHash } = currentParams(k.state, context);
  if (statement.length > evidenceBytesMax)
    refuseAs('evidence-size', `the statement has ${statement.length} bytes, more than ${evidenceBytesMax}`);
  context.gas.consume(statement.length * gasPerByte, 'attribution bytes');
  context.gas.consume(statement.length * gasPerHash, 'attribution influence');
  const card = activeCard(k, context, cardId);
  if (card.modelId !== model.id)
    refuseAs('malformed-claim', `model card ${cardId} is of model ${card.modelId}, not ${model.id}`);
  const claim = readStatement(card.card, statement);
  const weights = new Map<bigint, bigint>();
  let unlisted = BigInt(claim.total);
  for (const { contributionId, weight } of claim.groups) {
    unlisted -= BigInt(weight);
    const owner = named.ownerOf(contributionId);
    weights.set(owner, (weights.get(owner) ?? 0n) + BigInt(weight));
  }
  const listed = [...weights]
    .map(([owner, weight]) => ({ owner, weight }))
    .sort((a, b) => (a.owner < b.owner ? -1 : 1));
  return { listed, unlisted };
}

function readStatement(cardBytes: Uint8Array, statement: Uint8Array): InfluenceClaim {
  try {
    const claim = decodeClaim(statement);
    checkClaim(readCard(cardBytes), claim);
    return claim;
  } catch (error) {
    if (error instanceof DecodeError) return refuseAs('malformed-claim', error.message);
    throw error;
  }
}

/** A statement that was checked when its claim was submitted. */
export function readInfluence({ statement }: InfluenceStatement): InfluenceClaim {
  return decodeClaim(statement);
}

/** What a dispute of influence is about. */
export interface DisputedStatement {
  readonly cardBytes: Uint8Array;
  /** As claimed: `checkClaim` found that it fits the card. */
  readonly statement: Uint8Array;
}

/** Why a fraud proof does not convict a statement; undefined when it does. Charges gas by its work. */
export function problemOfInfluenceDispute(
  k: AttributionCore,
  context: ReadContext,
  { cardBytes, statement }: DisputedStatement,
  evidence: Evidence,
): string | undefined {
  const on = { card: readCard(cardBytes), claim: decodeClaim(statement) };
  return problemOfEvidence(k, context, evidence, {
    decode: decodeClaimFraud,
    workOf: workOfInfluenceFraud,
    verify: (fraud) => verifyClaimFraud(on, fraud),
  });
}
