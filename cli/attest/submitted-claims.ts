/** Claims as they were submitted: the chain keeps their hashes, the blocks have them. */
import type { Connection } from '../../client/index.ts';
import { equalBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import { ANY_DEPTH_MAX } from '../../framework/any-types.ts';
import { answerCommitment } from '../../modules/attribution/verify.ts';
import { MsgExec } from '../../proto/gen/cosmos/authz/v1beta1/tx.ts';
import { TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import type { Any } from '../../proto/gen/google/protobuf/any.ts';
import {
  Claim,
  type ClaimRecord,
  ClaimState,
} from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { MsgSubmitClaim } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import { type AttestChain, pages } from './chain.ts';

/** Messages of a type in a transaction, also inside those that a grant executes, as deep as the chain takes them. */
export function messagesIn<T>(
  tx: Uint8Array,
  type: { readonly typeUrl: string; decode(bytes: Uint8Array): T },
): readonly T[] {
  const within = (messages: readonly Any[], depth: number): readonly T[] =>
    messages.flatMap(({ typeUrl, value }): readonly T[] => {
      if (typeUrl === type.typeUrl) return [type.decode(value)];
      if (typeUrl !== MsgExec.typeUrl || depth > ANY_DEPTH_MAX) return [];
      return within(MsgExec.decode(value).msgs, depth + 1);
    });
  return within(TxBody.decode(TxRaw.decode(tx).bodyBytes).messages, 0);
}

/** The claim of a record, with its answer, among the messages of its block; undefined when it is not found. */
export async function submittedClaim(
  { comet }: Connection,
  { height, claimHash, answerRoot }: Pick<ClaimRecord, 'height' | 'claimHash' | 'answerRoot'>,
): Promise<Pick<MsgSubmitClaim, 'claim' | 'answer'> | undefined> {
  const { block } = await comet.block(Number(height));
  const submitted = block.txs.flatMap((tx) => messagesIn(tx, MsgSubmitClaim));
  // One claim may be about several answers.
  return submitted.find(
    ({ claim, answer }) =>
      equalBytes(sha256(Claim.encode(claim)), claimHash) &&
      equalBytes(answerCommitment(answer).root, answerRoot),
  );
}

/** Optimistic claims that can be disputed. */
export async function pendingRecords({ connection }: AttestChain): Promise<readonly ClaimRecord[]> {
  const { attribution } = connection.queries.openledger;
  const claims = await pages(
    (pagination) => attribution.openClaims({ pagination }),
    (page) => page.claims,
  );
  return claims.filter(({ state }) => state === ClaimState.CLAIM_STATE_PENDING);
}

/** Statements of pending claims of influence; what was looked up once is not looked up again. */
export class PendingStatements {
  readonly #chain: AttestChain;
  readonly #known = new Map<bigint, Uint8Array>();

  constructor(chain: AttestChain) {
    this.#chain = chain;
  }

  /** That of a claim which was pending when they were looked at. */
  statementOf(claimId: bigint): Uint8Array | undefined {
    return this.#known.get(claimId);
  }

  /** Of those that are pending now, the oldest first. */
  async look(): Promise<readonly Uint8Array[]> {
    const records = (await pendingRecords(this.#chain)).filter(({ cardId }) => cardId > 0n);
    const ids = new Set(records.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    for (const record of records) {
      if (this.#known.has(record.id)) continue;
      const statement = (await submittedClaim(this.#chain.connection, record))?.claim.influence?.statement;
      // Not found: perhaps the next time.
      if (statement !== undefined) this.#known.set(record.id, statement);
    }
    return [...this.#known.values()];
  }
}
