/**
 * Attributes an answer of a model: one claim, ready for a transaction, with every part that the model pays
 * for and that can be stated here. docs/adr/0024.
 */
import { LedgerError } from '../../core/errors.ts';
import type { InfluenceClaim } from '../../modules/attribution/proof/influence/claim.ts';
import { bpsOf, type Part } from '../../modules/attribution/proof/policy.ts';
import { committedAnswer, openAnswer, provableContent } from '../../modules/attribution/verify.ts';
import { type Answer, Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { AttributionMethod, type AttributionPolicy } from '../../proto/gen/openledger/models/v1/models.ts';
import type { Asker } from '../../serve/route.ts';
import { requireThere } from './asker.ts';
import type { Trace } from '../trace/trace.ts';
import {
  type AskedHeads,
  type InfluenceOrder,
  influencePart,
  type StatedInfluence,
} from './influence-part.ts';
import {
  type MadePart,
  outcomeOf,
  type PartOutcome,
  type Submission,
  submissionOf,
  unpaid,
} from './parts.ts';
import type { AttributionScope, ServeChain } from './ports.ts';
import type { PreparedClaim } from './quotations.ts';
import { type RetrievalOrder, retrievalPart } from './retrieval-part.ts';
import type { ShardLibrary } from './shard-library.ts';
import { type TokenPart, TokenParts } from './token-part.ts';

/** What is asked. */
export interface AttributionOrder {
  readonly modelId: bigint;
  /** Bytes of the model's answer. */
  readonly text: Uint8Array;
  /** Publish the answer's root instead of its text. Default false. */
  readonly isPrivate?: boolean;
  /**
   * Provenance without proofs, to be submitted with a bond. Default false; beside influence, and of a model
   * that takes bonded claims only, it has none in any case.
   */
  readonly isOptimistic?: boolean;
  /** For the influence part. */
  readonly influence?: InfluenceOrder;
  /** For the retrieval part. */
  readonly retrieval?: RetrievalOrder;
  /** `request_hash` of the payment, 32 bytes: retrieval is bound to it. */
  readonly requestHash?: Uint8Array;
  /** Whose message will carry the claim, as text. */
  readonly claimant?: string;
  /** Who waits for it: when nobody does any more, what takes long is not begun. */
  readonly asker?: Asker;
}

/** An answer's sources, and the claim that pays them. */
export interface Attribution extends PreparedClaim {
  readonly scope: AttributionScope;
  /** Of the token part; undefined where the model pays nothing for it. */
  readonly trace: Trace | undefined;
  /** What the influence part says. */
  readonly influence: InfluenceClaim | undefined;
  /** What became of each part. */
  readonly parts: readonly PartOutcome[];
  readonly submission: Submission;
}

/** What attributions are made from. */
export interface AttributorParts {
  readonly library: ShardLibrary;
  readonly heads: AskedHeads;
  readonly chain: ServeChain;
}

/** Attributes answers from the shards and heads that are served. */
export class Attributor {
  readonly #parts: AttributorParts;
  readonly #tokens: TokenParts;

  constructor(parts: AttributorParts) {
    this.#parts = parts;
    this.#tokens = new TokenParts(parts.library);
  }

  /**
   * The claim for a transaction: quoted spans, or the parts of the model's policy.
   * @throws LedgerError `attest.no_model`; `attest.no_index` when what the token part would rest on is not here;
   * `attest.method` for a model that is not attributed; `attest.output_too_long`; `attest.request` for a query or
   * a receipt that the chain would refuse; of influence also `attest.busy`, `attest.timeout`, `attest.worker`
   */
  async attribute(order: AttributionOrder): Promise<Attribution> {
    const { modelId, text } = order;
    const scope = await this.#parts.chain.scopeOf(modelId);
    if (scope === undefined)
      throw new LedgerError('attest.no_model', `there is no model ${modelId} on the chain; check model_id`);
    const { answerBytesMax } = scope.params;
    if (BigInt(text.length) > answerBytesMax)
      throw new LedgerError(
        'attest.output_too_long',
        `the answer has ${text.length} bytes; the chain takes ${answerBytesMax}`,
      );
    const { attributionMethod, attributionPolicy: policy } = scope.model;
    if (attributionMethod === AttributionMethod.ATTRIBUTION_METHOD_SPAN) return this.#quote(order, scope);
    if (policy !== undefined) return await this.#combine(order, scope, policy);
    throw new LedgerError(
      'attest.method',
      `model ${modelId} names no snapshots: its answers are not attributed`,
    );
  }

  /** A model without a policy pays for quoted spans and nothing else. */
  #quote(order: AttributionOrder, scope: AttributionScope): Attribution {
    const part = this.#tokens.quote(answerIn(order), scope);
    return {
      ...{ scope, answer: part.answer, claim: part.claim, trace: part.trace, influence: undefined },
      parts: [
        outcomeOf('token', WHOLE, foundIn(part)),
        outcomeOf('influence', 0, unpaid('influence', order.influence !== undefined)),
        outcomeOf('retrieval', 0, unpaid('retrieval', order.retrieval !== undefined)),
      ],
      submission: submissionOf(part.claim),
    };
  }

  /** What is cheap to refuse comes first, what takes long in the middle: provenance depends on it. */
  async #combine(
    order: AttributionOrder,
    scope: AttributionScope,
    policy: AttributionPolicy,
  ): Promise<Attribution> {
    const { heads, chain } = this.#parts;
    const pays = (part: Part): boolean => bpsOf(policy, part) > 0;
    const grounds = pays('token') ? this.#tokens.groundsOf(scope) : undefined;
    const { requestHash, claimant, asker } = order;
    const retrieval = pays('retrieval')
      ? await retrievalPart(chain, order.retrieval, { scope, requestHash, claimant })
      : unpaid('retrieval', order.retrieval !== undefined);
    requireThere(asker);
    const asked: AskedHeads = {
      card: (key) => heads.card(key),
      ask: (key, question) => heads.ask(key, question, asker),
    };
    const influence: MadePart<StatedInfluence> = pays('influence')
      ? await influencePart(asked, order.influence, scope)
      : unpaid('influence', order.influence !== undefined);
    requireThere(asker);
    const isOptimistic =
      order.isOptimistic === true || policy.bondedClaimsOnly || influence.stated !== undefined;
    const token = grounds && this.#tokens.locate(answerIn(order), grounds, isOptimistic);
    const claim = Claim.create({
      ...token?.claim,
      influence: influence.stated?.statement,
      retrieval: retrieval.stated,
    });
    const part = (name: Part, made: MadePart<unknown>): PartOutcome =>
      outcomeOf(name, bpsOf(policy, name), made);
    return {
      ...{ scope, answer: token?.answer ?? answerOf(order), claim, trace: token?.trace },
      influence: influence.stated?.claim,
      parts: [
        part('token', token === undefined ? unpaid('token', false) : foundIn(token)),
        part('influence', influence),
        part('retrieval', retrieval),
      ],
      submission: submissionOf(claim),
    };
  }
}

const WHOLE = 10_000;

function foundIn({ claim: { spans, token } }: TokenPart): MadePart<unknown> {
  if (spans.length > 0 || token !== undefined) return { stated: token ?? spans };
  return { stated: undefined, note: 'no passage of the answer is in what is indexed here' };
}

function answerIn({ text, isPrivate = false }: AttributionOrder): {
  readonly text: Uint8Array;
  readonly isPrivate: boolean;
} {
  return { text, isPrivate };
}

/** The answer of a claim that names no passages of it. */
function answerOf({ text, isPrivate = false }: AttributionOrder): Answer {
  return isPrivate && text.length > 0 ? committedAnswer(provableContent(text)) : openAnswer(text);
}
