/** Claims of attribution with their quotations: the chain keeps their hashes, transactions have them whole. */
import { equalBytes } from '../../core/bytes.ts';
import { sha256 } from '../../core/hash.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { TxBody, TxRaw } from '../../proto/gen/cosmos/tx/v1beta1/tx.ts';
import { Claim } from '../../proto/gen/openledger/attribution/v1/attribution.ts';
import { MsgSubmitClaim } from '../../proto/gen/openledger/attribution/v1/tx.ts';
import {
  MsgCaptureHold,
  MsgPayInference,
  MsgPayInferenceWithAuthorization,
} from '../../proto/gen/openledger/payments/v1/tx.ts';
import type { ExplainChain } from './chain.ts';

const CARRIERS: readonly MessageType<{ readonly claim: Claim }>[] = [
  MsgPayInference,
  MsgPayInferenceWithAuthorization,
  MsgCaptureHold,
  MsgSubmitClaim,
];

/** The encoded claim with this id and SHA-256; undefined when no transaction that the node finds has it. */
export async function claimBytes(
  chain: ExplainChain,
  id: bigint,
  hash: Uint8Array,
): Promise<Uint8Array | undefined> {
  for (const event of ['verify_claim', 'submit_claim'])
    for (const { tx } of await chain.txs(`${event}.claim_id='${id}'`))
      for (const claim of claimsIn(tx)) if (equalBytes(sha256(claim), hash)) return claim;
  return undefined;
}

function claimsIn(tx: Uint8Array): readonly Uint8Array[] {
  return TxBody.decode(TxRaw.decode(tx).bodyBytes).messages.flatMap(({ typeUrl, value }) => {
    const type = CARRIERS.find((carrier) => carrier.typeUrl === typeUrl);
    return type === undefined ? [] : [Claim.encode(type.decode(value).claim)];
  });
}
