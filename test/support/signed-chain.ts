/**
 * A chain in this process with real headers and precommits: blocks are made, executed and signed by all of
 * its validators at once, but for those who are told to be absent. For tests of what is done with blocks.
 */
import { createApp, type OpenLedgerApp } from '../../app/app.ts';
import { composeModules, storeNames } from '../../app/modules.ts';
import { type Block, cutBlock } from '../../consensus/types/block.ts';
import type { BlockId } from '../../consensus/types/block-id.ts';
import { makeBlock } from '../../consensus/types/block-rules.ts';
import {
  ABSENT_COMMIT_SIG,
  type Commit,
  commitSignBytes,
  EMPTY_COMMIT,
} from '../../consensus/types/commit.ts';
import { type DuplicateVoteEvidence, duplicateVoteEvidence } from '../../consensus/types/duplicate-vote.ts';
import type { Evidence } from '../../consensus/types/evidence.ts';
import type { Header } from '../../consensus/types/header.ts';
import { voteSignBytes } from '../../consensus/types/sign-bytes.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import type { Vote } from '../../consensus/types/vote.ts';
import { toHex, utf8 } from '../../core/bytes.ts';
import { defined } from '../../core/errors.ts';
import { sha256 } from '../../core/hash.ts';
import { addDuration } from '../../core/time.ts';
import type { GenesisDocument } from '../../genesis/document.ts';
import { type Ed25519Signer, ed25519Signer } from '../../node/crypto/ed25519.ts';
import { genesisOf } from '../../node/node-settings.ts';
import {
  afterBlock,
  afterInitChain,
  type ChainState,
  contextOf,
  genesisState,
} from '../../node/state/chain-state.ts';
import { finalizeRequest, initChainRequest } from '../../node/state/requests.ts';
import type { ResponseFinalizeBlock } from '../../proto/gen/tendermint/abci/types.ts';
import { MemoryMultiStore } from '../../store/multistore.ts';
import { plainVerifier } from './test-chain.ts';

/** Signer of the i-th validator: give its public key to the genesis. */
export function validatorSigner(i: number): Ed25519Signer {
  return ed25519Signer(Uint8Array.from(sha256(utf8(`validator ${i}`))));
}

/** What a chain is made of. */
export interface SignedChainOptions {
  readonly document: GenesisDocument;
  /** Of every validator that there will be. */
  readonly signers: readonly Ed25519Signer[];
  /** Changes the application before it runs: for planted bugs. */
  readonly prepare?: (app: OpenLedgerApp) => void;
}

/** What a block has. */
export interface SignedBlockContent {
  readonly txs?: readonly Uint8Array[];
  readonly evidence?: readonly Evidence[];
  /** Numbers of signers whose precommits for this block are missing. */
  readonly absent?: readonly number[];
  /** Says something else in the header than what is true: everybody signs it. */
  readonly header?: Partial<Header>;
}

/** A block with its precommits and what it came to. */
export interface SignedBlock {
  readonly block: Block;
  readonly commit: Commit;
  readonly results: ResponseFinalizeBlock;
}

/** See the file comment. */
export class SignedChain {
  readonly blocks: SignedBlock[] = [];
  readonly #makeApp: () => OpenLedgerApp;
  #app: OpenLedgerApp;
  readonly #signers: ReadonlyMap<string, { readonly signer: Ed25519Signer; readonly number: number }>;
  #state: ChainState;
  #lastCommit: Commit = EMPTY_COMMIT;

  constructor({ document, signers, prepare }: SignedChainOptions) {
    this.#signers = new Map(
      signers.map((signer, number) => [toHex(signer.publicKey), { signer, number }] as const),
    );
    const genesis = genesisOf(document);
    const { chainId, initialHeight: initialVersion } = genesis;
    const stores = storeNames(composeModules('open').modules);
    const store = new MemoryMultiStore({ stores, initialVersion });
    this.#makeApp = () => {
      const app = createApp({ store, chainId, prefix: 'open', verifier: plainVerifier });
      prepare?.(app);
      return app;
    };
    this.#app = this.#makeApp();
    this.#state = afterInitChain(genesisState(genesis), this.#app.initChain(initChainRequest(genesis)));
  }

  /** Goes on as a new process would, on the same state. */
  restart(): void {
    this.#app = this.#makeApp();
  }

  get state(): ChainState {
    return this.#state;
  }

  /** Makes, signs and executes the next block. */
  add({ txs = [], evidence = [], absent = [], header = {} }: SignedBlockContent = {}): SignedBlock {
    const state = this.#state;
    const proposer = defined(state.validators.validators[0], 'proposer');
    const content = { txs, evidence, lastCommit: this.#lastCommit, proposerAddress: proposer.address };
    const made = makeBlock(contextOf(state), content);
    const block = { ...made, header: { ...made.header, ...header } };
    const { blockId } = cutBlock(block);
    const commit = this.#signed(block.header, blockId, absent);
    const results = this.#app.finalizeBlock(finalizeRequest(block, state.lastValidators));
    this.#app.commit();
    this.#state = afterBlock(state, { header: block.header, blockId }, results);
    this.#lastCommit = commit;
    const signed = { block, commit, results };
    this.blocks.push(signed);
    return signed;
  }

  /** Two precommits of a validator for the last block and another one. */
  doubleSign(number: number): DuplicateVoteEvidence {
    const { block } = defined(this.blocks.at(-1), 'last block');
    const { lastValidators: validators, lastBlockId } = this.#state;
    const other = { ...lastBlockId, hash: Uint8Array.from(sha256(utf8('another block'))) };
    const votes = [lastBlockId, other].map((id) => this.#vote({ block, id, number }, validators));
    const [voteA, voteB] = [defined(votes[0], 'vote'), defined(votes[1], 'vote')];
    return duplicateVoteEvidence({ first: voteA, second: voteB, validators, blockTime: block.header.time });
  }

  #vote(
    { block, id, number }: { readonly block: Block; readonly id: BlockId; readonly number: number },
    { validators }: ValidatorSet,
  ): Vote {
    const validatorIndex = validators.findIndex(
      ({ publicKey }) => this.#signers.get(toHex(publicKey.bytes))?.number === number,
    );
    const { address, publicKey } = defined(validators[validatorIndex], 'validator');
    const { signer } = defined(this.#signers.get(toHex(publicKey.bytes)), 'signer');
    const { height, time } = block.header;
    const unsigned = {
      type: 'precommit',
      height,
      round: 0,
      blockId: id,
      timestamp: time,
      validatorAddress: address,
      validatorIndex,
      extension: new Uint8Array(0),
      extensionSignature: new Uint8Array(0),
    } as const;
    return { ...unsigned, signature: signer.sign(voteSignBytes(this.#state.chainId, unsigned)) };
  }

  #signed({ height, time }: Header, blockId: BlockId, absent: readonly number[]): Commit {
    const { chainId, validators } = this.#state;
    const timestamp = addDuration(time, { seconds: 1n, nanos: 0 });
    const entries = validators.validators.map(({ address, publicKey }) => {
      const { signer, number } = defined(this.#signers.get(toHex(publicKey.bytes)), 'signer');
      return { address, signer, isAbsent: absent.includes(number) };
    });
    const unsigned: Commit = {
      height,
      round: 0,
      blockId,
      signatures: entries.map(({ address, isAbsent }) =>
        isAbsent
          ? ABSENT_COMMIT_SIG
          : { blockIdFlag: 'commit', validatorAddress: address, timestamp, signature: new Uint8Array(64) },
      ),
    };
    return {
      ...unsigned,
      signatures: unsigned.signatures.map((entry, i) => {
        const message = commitSignBytes(chainId, unsigned, i);
        if (message === undefined || entry.blockIdFlag === 'absent') return entry;
        return { ...entry, signature: defined(entries[i], 'entry').signer.sign(message) };
      }),
    };
  }
}
