/** A height of very many rounds: a block that was forgotten in it comes back and is decided. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CutBlock, cutBlock } from '../../../consensus/types/block.ts';
import { type BlockId, equalBlockId, NIL_BLOCK_ID } from '../../../consensus/types/block-id.ts';
import { makeBlock } from '../../../consensus/types/block-rules.ts';
import { EMPTY_COMMIT } from '../../../consensus/types/commit.ts';
import { validatorIndex } from '../../../consensus/types/validator-set.ts';
import { proposalSignBytes, voteSignBytes } from '../../../consensus/types/sign-bytes.ts';
import type { Vote, VoteType } from '../../../consensus/types/vote.ts';
import type { ConsensusReader } from '../../../consensus/view.ts';
import { EMPTY_BYTES, equalBytes, utf8 } from '../../../core/bytes.ts';
import { defined } from '../../../core/errors.ts';
import { sha256 } from '../../../core/hash.ts';
import { ed25519Signer } from '../../../node/crypto/ed25519.ts';
import { contextOf, genesisState } from '../../../node/state/chain-state.ts';
import { CHAIN_ID, openTestNode, seedOf, type TestHome, type TestNode, testGenesis } from './test-node.ts';

/** More blocks than a node holds of one height. */
const OTHER_BLOCKS = 66;
const OTHERS = [1, 2, 3] as const;
/** Nothing happens by waiting. */
const NEVER_MS = 1_000_000;
const TIMEOUTS = {
  proposeMs: NEVER_MS,
  proposeDeltaMs: 0,
  prevoteMs: NEVER_MS,
  prevoteDeltaMs: 0,
  precommitMs: NEVER_MS,
  precommitDeltaMs: 0,
  commitMs: 0,
  skipCommitWhenComplete: false,
};

const genesis = testGenesis(4);
const context = contextOf(genesisState(genesis));
const keys = [0, 1, 2, 3].map((index) => ed25519Signer(seedOf(index)));
const addresses = keys.map(({ publicKey }) => sha256(publicKey).slice(0, 20));
const at = <T>(list: readonly T[], index: number): T => defined(list[index], `${index}`);

/** A real node of validator 0; the other three are played by the test. */
class Play {
  readonly node: TestNode;
  readonly #votes: Vote[];
  #look: () => void = () => undefined;

  private constructor(node: TestNode, votes: Vote[], onVote: (listener: () => void) => void) {
    this.node = node;
    this.#votes = votes;
    onVote(() => this.#look());
    node.engine.onEvent(() => this.#look());
  }

  static async open(home: TestHome): Promise<Play> {
    const votes: Vote[] = [];
    let told = (): void => undefined;
    const publish = (message: { readonly kind: string; readonly vote?: Vote }): void => {
      if (message.vote === undefined) return;
      votes.push(message.vote);
      told();
    };
    const publisher = { publish, misbehaved: () => undefined };
    const node = await openTestNode({ home, genesis, publisher, timeouts: TIMEOUTS });
    const play = new Play(node, votes, (listener) => {
      told = listener;
    });
    node.engine.start();
    node.engine.joinConsensus();
    await play.until(() => node.engine.consensus()?.view().height === 1n);
    return play;
  }

  get core(): ConsensusReader {
    return defined(this.node.engine.consensus(), 'consensus');
  }

  /** Rejects when the node stops by itself. */
  async until(holds: () => boolean): Promise<void> {
    const held = new Promise<void>((resolve) => {
      this.#look = () => (holds() ? resolve() : undefined);
      this.#look();
    });
    const stopped = this.node.fatal.then((error) => Promise.reject(error));
    await Promise.race([held, stopped]);
  }

  vote(from: number, type: VoteType, round: number, blockId: BlockId): void {
    const vote = {
      type,
      height: 1n,
      round,
      blockId,
      validatorAddress: at(addresses, from),
      validatorIndex: validatorIndex(this.core.validators(), at(addresses, from)),
      timestamp: { seconds: genesis.genesisTime.seconds + 5n, nanos: 0 },
      extension: EMPTY_BYTES,
      extensionSignature: EMPTY_BYTES,
    };
    const signature = at(keys, from).sign(voteSignBytes(CHAIN_ID, vote));
    this.node.engine.receive({ kind: 'vote', vote: { ...vote, signature } }, `peer ${from}`);
  }

  propose(block: CutBlock, round: number, polRound = -1): void {
    const { blockId } = block;
    const proposal = { height: 1n, round, polRound, blockId, timestamp: genesis.genesisTime };
    const signature = at(keys, this.proposer(round)).sign(proposalSignBytes(CHAIN_ID, proposal));
    const message = { kind: 'proposal', proposal: { ...proposal, signature } } as const;
    this.node.engine.receive(message, `peer ${this.proposer(round)}`);
  }

  sendParts(block: CutBlock, round: number): void {
    for (const part of block.parts)
      this.node.engine.receive({ kind: 'blockPart', height: 1n, round, part }, 'peer 1');
  }

  proposer(round: number): number {
    const { address } = defined(this.core.proposer(round), 'proposer');
    return addresses.findIndex((other) => equalBytes(other, address));
  }

  async enter(round: number): Promise<void> {
    if (round > 0) for (const from of [1, 2]) this.vote(from, 'prevote', round, NIL_BLOCK_ID);
    await this.until(() => this.core.view().round === round && this.core.view().step !== 'newRound');
  }

  async prevoted(round: number, blockId: BlockId): Promise<void> {
    const is = (vote: Vote): boolean => vote.round === round && equalBlockId(vote.blockId, blockId);
    await this.until(() => this.#votes.some((vote) => vote.type === 'prevote' && is(vote)));
  }
}

/** Proposes a block in each round that one of the others may propose in; the next round, and the first block. */
async function manyBlocks(play: Play): Promise<{ first: CutBlock; firstRound: number; round: number }> {
  const blocks: { readonly round: number; readonly block: CutBlock }[] = [];
  let round = 0;
  for (; blocks.length < OTHER_BLOCKS; round++) {
    await play.enter(round);
    const proposer = play.proposer(round);
    if (proposer === 0) continue;
    const content = { txs: [utf8(`round ${round}`)], evidence: [], lastCommit: EMPTY_COMMIT };
    const block = cutBlock(makeBlock(context, { ...content, proposerAddress: at(addresses, proposer) }));
    play.propose(block, round);
    play.sendParts(block, round);
    await play.prevoted(round, block.blockId);
    blocks.push({ round, block });
  }
  const first = at(blocks, 0);
  return { first: first.block, firstRound: first.round, round };
}

for (const restarted of [false, true])
  test(`tendermint#861, tenderdash#1437: a block that was forgotten for others and is decided is fetched again${restarted ? ', after a restart, too' : ''}`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'forgotten-'));
    const home = { directory, index: 0, application: { height: 0n, hash: EMPTY_BYTES } };
    let play = await Play.open(home);
    const { first, firstRound, round: next } = await manyBlocks(play);
    let round = next;
    await play.enter(round);
    while (play.proposer(round) === 0) await play.enter(++round);
    for (const from of OTHERS) play.vote(from, 'prevote', firstRound, first.blockId);
    play.propose(first, round, firstRound);
    await play.prevoted(round, first.blockId);
    for (const from of OTHERS) play.vote(from, 'precommit', round, first.blockId);
    const decided = (): boolean => play.core.view().decided !== undefined;
    await play.until(decided);
    expect(play.node.engine.lastHeight()).toBe(0n);
    if (restarted) {
      await play.node.stop();
      play = await Play.open(home);
      await play.until(decided);
    }
    play.sendParts(first, round);
    await play.node.reached(1n);
    const { blockId } = defined(play.node.committed[0], 'block');
    expect(equalBlockId(blockId, first.blockId)).toBe(true);
    await play.node.stop();
  });
