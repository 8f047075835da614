/** Whether a signing state is in itself what a validator wrote: a disk may have turned a bit of it. */
import { equalBytes } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { readUvarint } from '../../core/varint.ts';
import { CanonicalProposal, CanonicalVote } from '../../proto/gen/tendermint/types/canonical.ts';
import { SignedMsgType } from '../../proto/gen/tendermint/types/types.ts';
import type { OpenedKey } from './key-file.ts';
import { compareStep, type SignState, type SignStep, STEPS } from './sign-state.ts';

const FIELD_TYPE = 8;

/**
 * The place that the state names must be that of the message in it, and the signature this key's: a lower
 * place would let the validator sign there a second time.
 * @throws LedgerError `privval.state_file`
 */
export function checkOwnState({ signer, publicKey }: OpenedKey, state: SignState, path: string): void {
  const { signed } = state;
  if (signed === undefined) return;
  const place = placeOf(signed.signBytes, path);
  if (compareStep(place, state) !== 0)
    throw damaged(
      `it names height ${state.height} round ${state.round} step ${state.step}, and what was signed is of height ` +
        `${place.height} round ${place.round} step ${place.step}`,
      path,
    );
  // Ed25519 gives one signature for a message.
  if (publicKey.type === 'ed25519' && !equalBytes(signer.sign(signed.signBytes), signed.signature))
    throw damaged('its signature is not what this key gives for its signbytes', path);
}

/** What a canonical message was signed for. */
function placeOf(signBytes: Uint8Array, path: string): SignStep {
  try {
    const message = signBytes.subarray(readUvarint(signBytes, 0).next);
    const isProposal = message[0] === FIELD_TYPE && message[1] === SignedMsgType.SIGNED_MSG_TYPE_PROPOSAL;
    if (isProposal) {
      const { height, round } = CanonicalProposal.decode(message);
      return { height, round: Number(round), step: STEPS.propose };
    }
    const { type, height, round } = CanonicalVote.decode(message);
    const isPrevote = type === SignedMsgType.SIGNED_MSG_TYPE_PREVOTE;
    return { height, round: Number(round), step: isPrevote ? STEPS.prevote : STEPS.precommit };
  } catch (error) {
    throw damaged(`its signbytes cannot be read: ${messageOf(error)}`, path);
  }
}

function damaged(what: string, path: string): LedgerError {
  return new LedgerError(
    'privval.state_file',
    `the signing state ${path} is damaged or not this key's: ${what}. Restore it from this machine. If it is lost, let all ` +
      'that it holds be {"height":"N","round":0,"step":0}, where N is one above the last height this validator can have signed; ' +
      'never reset it on a live chain.',
    { path },
  );
}
