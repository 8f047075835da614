import type { Input } from '../../consensus/input.ts';
import type { SignProposal, SignVote } from '../../consensus/output.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { type Time, timeFromNanos, timeToNanos } from '../../consensus/types/time.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import { isTwoThirds, validatorByAddress } from '../../consensus/types/validator-set.ts';
import type { ConsensusReader } from '../../consensus/view.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import type { ConsensusSigner, EngineClock, EngineLogger, SigningGuard } from './ports.ts';

/** A vote's time is at least this much after the time of the block it is for (CometBFT's `voteTime`). */
const TIME_STEP_NANOS = 1_000_000n;
/** The code of a signer that could not note what it signs: it signs nothing more until it is restarted. */
const STATE_NOT_WRITTEN = 'privval.state_write';

/** What signing needs. */
export interface SigningPorts {
  readonly signer: ConsensusSigner | undefined;
  readonly clock: EngineClock;
  readonly logger: EngineLogger;
  readonly chainId: string;
  /** The time of a block of the current height, when the block is known. */
  readonly timeOf: (blockId: BlockId) => Time | undefined;
}

/**
 * Gets what the core wants signed from the signer: the answer as an input, or undefined when the signer
 * refuses. Then the core goes on without our signature.
 * @throws LedgerError `privval.state_write` when the signer cannot sign any more: the node must stop
 */
export async function sign(
  ports: SigningPorts,
  request: SignProposal | SignVote,
): Promise<Input | undefined> {
  const { signer, logger } = ports;
  if (signer === undefined) return undefined;
  try {
    return await answer(signer, ports, request);
  } catch (error) {
    if (error instanceof LedgerError && error.code === STATE_NOT_WRITTEN) throw error;
    logger.warn({ request: request.kind, reason: messageOf(error) }, 'the signer refused');
    return undefined;
  }
}

async function answer(
  signer: ConsensusSigner,
  { clock, chainId, timeOf }: SigningPorts,
  request: SignProposal | SignVote,
): Promise<Input> {
  const now = clock.now();
  if (request.kind === 'signProposal') {
    const proposal = { ...request.proposal, timestamp: timeFromNanos(now) };
    return { kind: 'signedProposal', proposal: await signer.signProposal(chainId, proposal) };
  }
  const blockTime = request.laterThan === undefined ? undefined : timeOf(request.laterThan);
  const earliest = blockTime === undefined ? now : timeToNanos(blockTime) + TIME_STEP_NANOS;
  const vote = { ...request.vote, timestamp: timeFromNanos(now > earliest ? now : earliest) };
  return { kind: 'signedVote', vote: await signer.signVote(chainId, vote) };
}

/** Who signed a message from a peer, and where; undefined for other inputs. Steps: 1 proposal to 3 precommit. */
export function signatureOf(
  input: Input,
  core: Pick<ConsensusReader, 'proposer'>,
): Parameters<SigningGuard['saw']>[0] | undefined {
  if (input.kind === 'vote') {
    const { validatorAddress: address, height, round, type } = input.vote;
    return { address, height, round, step: type === 'prevote' ? 2 : 3 };
  }
  if (input.kind !== 'proposal') return undefined;
  const { height, round } = input.proposal;
  const proposer = core.proposer(round);
  return proposer === undefined ? undefined : { address: proposer.address, height, round, step: 1 };
}

/** The voting power of that address; 0 for one that is no validator. */
export function powerOf(validators: ValidatorSet, address: Uint8Array | undefined): bigint {
  if (address === undefined) return 0n;
  return validatorByAddress(validators, address)?.votingPower ?? 0n;
}

/** True when that validator's votes alone decide blocks. */
export function holdsTwoThirds(validators: ValidatorSet, address: Uint8Array | undefined): boolean {
  const power = powerOf(validators, address);
  return power > 0n && isTwoThirds(validators, power);
}
