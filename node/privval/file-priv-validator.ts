import { dirname } from 'node:path';
import type { Proposal } from '../../consensus/types/proposal.ts';
import { addressOf } from '../../consensus/types/public-key.ts';
import { proposalSignBytes, voteSignBytes } from '../../consensus/types/sign-bytes.ts';
import type { Time } from '../../consensus/types/time.ts';
import type { PublicKey } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { EMPTY_BYTES, equalBytes } from '../../core/bytes.ts';
import { LedgerError, messageOf } from '../../core/errors.ts';
import { readUvarint } from '../../core/varint.ts';
import { type ProofParties, proofSignBytes } from '../../p2p/validator-proof.ts';
import {
  CanonicalProposal,
  CanonicalVote,
  CanonicalVoteExtension,
} from '../../proto/gen/tendermint/types/canonical.ts';
import { type DurableFiles, machineFiles } from './durable-file.ts';
import { type OpenedKey, readKeyFile, writeKeyFile } from './key-file.ts';
import { checkOwnState } from './own-state.ts';
import type { KeySigner, KeyType, MakeKeySigner } from './ports.ts';
import type { ExtendingPrivValidator, ProposalToSign, VoteExtension, VoteToSign } from './priv-validator.ts';
import {
  compareStep,
  NEVER_SIGNED,
  readSignState,
  type SignState,
  type SignStep,
  STEPS,
  writeSignState,
} from './sign-state.ts';

/** Where a validator's two files are, and what makes keys of seeds. */
export interface FilePrivValidatorOptions {
  readonly keyPath: string;
  readonly statePath: string;
  readonly makeSigner: MakeKeySigner;
  /** Replaces the machine's file system in tests. */
  readonly files?: DurableFiles;
}

interface Request<T extends { readonly timestamp: Time }> {
  readonly step: SignStep;
  readonly signBytes: Uint8Array;
  /** The time in sign bytes that differ from these in nothing else. */
  readonly timeOfSame: (signed: Uint8Array) => Time | undefined;
  readonly answer: (signature: Uint8Array, timestamp: Time | undefined) => T;
}

/** Signs with a key in a file and guards with a state in a file, both in CometBFT's form. */
export class FilePrivValidator implements ExtendingPrivValidator {
  readonly publicKey: PublicKey;
  readonly address: Uint8Array;
  readonly #signer: KeySigner;
  readonly #files: DurableFiles;
  readonly #statePath: string;
  #state: SignState;
  /** Set when the state could not be written: what is on disk is unknown, so nothing is signed any more. */
  #broken: LedgerError | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(key: OpenedKey, state: SignState, options: FilePrivValidatorOptions) {
    this.#signer = key.signer;
    this.#state = state;
    this.#files = options.files ?? machineFiles;
    this.#statePath = options.statePath;
    this.publicKey = key.publicKey;
    this.address = addressOf(key.publicKey);
  }

  /**
   * Reads both files. A key without a state is refused: nobody knows what it signed.
   * @throws LedgerError `privval.key_file`, `privval.state_file`
   */
  static async open(options: FilePrivValidatorOptions): Promise<FilePrivValidator> {
    const files = options.files ?? machineFiles;
    const key = await readKeyFile(options.keyPath, options.makeSigner, files);
    const state = await readSignState(files, options.statePath);
    if (state === undefined) {
      throw new LedgerError(
        'privval.state_file',
        `the validator key ${options.keyPath} has no signing state ${options.statePath}. Without it a double signature ` +
          'cannot be ruled out. Restore the file; only for a key that never signed, write {"height":"0","round":0,"step":0}.',
        { path: options.statePath },
      );
    }
    checkOwnState(key, state, options.statePath);
    await makeDurable(files, options.statePath);
    return new FilePrivValidator(key, state, options);
  }

  /**
   * Writes the files of a new validator from 32 secret bytes and opens it. The state comes first: a crash in
   * between leaves no key without a state.
   * @throws LedgerError `privval.exists` when there is a key or a state already: they are never overwritten
   */
  static async create(
    secret: Uint8Array,
    options: FilePrivValidatorOptions & { readonly keyType?: KeyType },
  ): Promise<FilePrivValidator> {
    const files = options.files ?? machineFiles;
    for (const path of [options.keyPath, options.statePath]) {
      if ((await files.read(path)) !== undefined) {
        throw new LedgerError('privval.exists', `${path} exists already and is never overwritten`, { path });
      }
    }
    const { keyType: type = 'ed25519' } = options;
    const signer = options.makeSigner(secret, type);
    const publicKey: PublicKey = { type, bytes: signer.publicKey };
    await writeSignState(files, options.statePath, NEVER_SIGNED);
    await writeKeyFile(options.keyPath, { secret, publicKey }, files);
    return new FilePrivValidator({ signer, publicKey }, NEVER_SIGNED, options);
  }

  /** What was signed last. */
  get state(): SignState {
    return this.#state;
  }

  signVote(chainId: string, vote: VoteToSign): Promise<Vote> {
    return this.#inTurn({
      step: { height: vote.height, round: vote.round, step: STEPS[vote.type] },
      signBytes: voteSignBytes(chainId, vote),
      timeOfSame: (signed) => timeIfSame(CanonicalVote, signed, voteSignBytes(chainId, vote)),
      answer: (signature, timestamp) => ({
        ...vote,
        timestamp: timestamp ?? vote.timestamp,
        signature,
        extension: EMPTY_BYTES,
        extensionSignature: EMPTY_BYTES,
      }),
    });
  }

  signProposal(chainId: string, proposal: ProposalToSign): Promise<Proposal> {
    return this.#inTurn({
      step: { height: proposal.height, round: proposal.round, step: STEPS.propose },
      signBytes: proposalSignBytes(chainId, proposal),
      timeOfSame: (signed) => timeIfSame(CanonicalProposal, signed, proposalSignBytes(chainId, proposal)),
      answer: (signature, timestamp) => ({
        ...proposal,
        timestamp: timestamp ?? proposal.timestamp,
        signature,
      }),
    });
  }

  signVoteExtension(chainId: string, { height, round, extension }: VoteExtension): Uint8Array {
    const message = { extension, height, round: BigInt(round), chainId };
    return this.#signer.sign(CanonicalVoteExtension.encodeDelimited(message));
  }

  async signValidatorProof(chainId: string, parties: ProofParties): Promise<Uint8Array> {
    return this.#signer.sign(proofSignBytes(chainId, parties));
  }

  /** One request at a time: the guard is read and written as one step. */
  #inTurn<T extends { readonly timestamp: Time }>(request: Request<T>): Promise<T> {
    const answer = this.#queue.then(() => this.#sign(request));
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  async #sign<T extends { readonly timestamp: Time }>(request: Request<T>): Promise<T> {
    if (this.#broken !== undefined) throw this.#broken;
    const order = compareStep(request.step, this.#state);
    if (order < 0) throw refused('it has signed a later step', request.step, this.#state);
    if (order === 0) return this.#signAgain(request);
    const signature = this.#signer.sign(request.signBytes);
    const next: SignState = { ...request.step, signed: { signBytes: request.signBytes, signature } };
    try {
      await writeSignState(this.#files, this.#statePath, next);
    } catch (cause) {
      this.#broken = new LedgerError(
        'privval.state_write',
        `the signing state ${this.#statePath} could not be written: ${messageOf(cause)}. This validator ` +
          'signs nothing more until it is restarted: see to the disk (space, permissions, errors), then start it again',
        { path: this.#statePath },
        cause,
      );
      throw this.#broken;
    }
    this.#state = next;
    return request.answer(signature, undefined);
  }

  #signAgain<T extends { readonly timestamp: Time }>(request: Request<T>): T {
    const { signed } = this.#state;
    if (signed === undefined) {
      throw refused('its state does not say what it signed there', request.step, this.#state);
    }
    if (equalBytes(signed.signBytes, request.signBytes)) return request.answer(signed.signature, undefined);
    const timestamp = request.timeOfSame(signed.signBytes);
    if (timestamp !== undefined) return request.answer(signed.signature, timestamp);
    throw refused('it has signed something else there', request.step, this.#state);
  }
}

/**
 * The process before this one may have been killed between renaming the state into its place and syncing the
 * directory: what we read is then in the page cache only. Were we to answer from it and the power failed, an
 * older state would come back and let the same step be signed again.
 */
async function makeDurable(files: DurableFiles, path: string): Promise<void> {
  try {
    await files.syncDirectory(dirname(path));
  } catch (cause) {
    throw new LedgerError(
      'privval.state_file',
      `the signing state ${path} cannot be made durable: ${messageOf(cause)}. Nothing is signed with it until the disk works.`,
      { path },
      cause,
    );
  }
}

function refused(why: string, step: SignStep, state: SignState): LedgerError {
  return new LedgerError(
    'privval.refused',
    `the validator does not sign height ${step.height} round ${step.round} step ${step.step}: ${why} ` +
      `(last: height ${state.height} round ${state.round} step ${state.step})`,
    { height: step.height, round: step.round, step: step.step },
  );
}

/** The time in `signed`, when the two canonical messages differ in nothing but their time. */
function timeIfSame<T extends { readonly timestamp: Time; readonly chainId: string }>(
  type: { decode(bytes: Uint8Array): T; encode(value: T): Uint8Array },
  signed: Uint8Array,
  requested: Uint8Array,
): Time | undefined {
  const before = type.decode(withoutLength(signed));
  const now = type.decode(withoutLength(requested));
  const same = equalBytes(type.encode({ ...before, timestamp: now.timestamp }), type.encode(now));
  return same ? before.timestamp : undefined;
}

function withoutLength(delimited: Uint8Array): Uint8Array {
  return delimited.subarray(readUvarint(delimited, 0).next);
}
