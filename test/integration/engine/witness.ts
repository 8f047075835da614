import { blockIdKey } from '../../../consensus/types/block-id.ts';
import { toHex } from '../../../core/bytes.ts';
import type { ConsensusMessage, ConsensusSigner } from '../../../node/engine/ports.ts';
import type { CrashPoint } from './crash-disk.ts';

/** What a validator ever told anybody: two values at one step are a double signature. */
export class Witness {
  readonly #told = new Map<string, string>();
  readonly doubles: string[] = [];

  see(message: ConsensusMessage): void {
    if (message.kind === 'blockPart') return;
    const signed = message.kind === 'vote' ? message.vote : message.proposal;
    const signer = message.kind === 'vote' ? toHex(message.vote.validatorAddress) : 'proposer';
    const step = message.kind === 'vote' ? message.vote.type : 'proposal';
    const at = `${signer} ${signed.height}/${signed.round} ${step}`;
    const value = `${blockIdKey(signed.blockId)} ${signed.timestamp.seconds}.${signed.timestamp.nanos}`;
    const before = this.#told.get(at);
    if (before !== undefined && before !== value) this.doubles.push(at);
    this.#told.set(at, value);
  }
}

/** A signer that may die before it signs, or before the signature is out of its hands. */
export function mortalSigner(signer: ConsensusSigner, point: CrashPoint): ConsensusSigner {
  const mortal = async <T>(sign: () => Promise<T>): Promise<T> => {
    point.step('sign');
    const signed = await sign();
    point.step('signed');
    return signed;
  };
  return {
    address: signer.address,
    signVote: (chainId, vote) => mortal(() => signer.signVote(chainId, vote)),
    signProposal: (chainId, proposal) => mortal(() => signer.signProposal(chainId, proposal)),
  };
}
