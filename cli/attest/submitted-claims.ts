/** Claims as they were submitted: the chain keeps their hashes, the blocks have them. */
import type { HeadLibrary } from '../../attest/serve/head-library.ts';
import type { AttestLogger } from '../../attest/serve/ports.ts';
import type { Connection } from '../../client/index.ts';
import { equalBytes } from '../../core/bytes.ts';
import { messageOf } from '../../core/errors.ts';
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

/** What a look at the pending claims of influence found. */
export interface LookedStatements {
  /** The oldest first. */
  readonly statements: readonly Uint8Array[];
  /** Claims whose blocks could not be read, and why. */
  readonly unread: readonly { readonly claimId: bigint; readonly error: unknown }[];
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

  /**
   * Of those that are pending now. A block that cannot be read takes none of the others with it: who asks
   * about one of these must get an answer.
   * @throws LedgerError when the list of claims cannot be read; what is known stays
   */
  async look(): Promise<LookedStatements> {
    const records = (await pendingRecords(this.#chain)).filter(({ cardId }) => cardId > 0n);
    const ids = new Set(records.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    const unread: LookedStatements['unread'][number][] = [];
    for (const record of records) {
      if (this.#known.has(record.id)) continue;
      try {
        const found = await submittedClaim(this.#chain.connection, record);
        const statement = found?.claim.influence?.statement;
        // Not found: perhaps the next time.
        if (statement !== undefined) this.#known.set(record.id, statement);
      } catch (error) {
        unread.push({ claimId: record.id, error });
      }
    }
    const statements = records.flatMap(({ id }) => this.#known.get(id) ?? []);
    return { statements, unread };
  }
}

/**
 * Has a server expect questions about the claims that are pending now.
 * @throws LedgerError when the list of claims cannot be read
 */
export async function expectPending({
  statements,
  heads,
  logger,
}: {
  readonly statements: PendingStatements;
  readonly heads: Pick<HeadLibrary, 'expect'>;
  readonly logger: Pick<AttestLogger, 'warn'>;
}): Promise<void> {
  const { statements: pending, unread } = await statements.look();
  heads.expect(pending);
  for (const { claimId, error } of unread)
    logger.warn(
      { claim: claimId, error: messageOf(error) },
      `the block of claim ${claimId} cannot be read; the next look tries again`,
    );
}
