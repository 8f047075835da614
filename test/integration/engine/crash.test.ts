import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blockIdKey } from '../../../consensus/types/block-id.ts';
import { EMPTY_BYTES, toHex } from '../../../core/bytes.ts';
import type { ConsensusMessage, ConsensusPublisher, ConsensusSigner } from '../../../node/engine/ports.ts';
import type { Genesis } from '../../../node/state/chain-state.ts';
import { CrashDisk, CrashPoint } from './crash-disk.ts';
import { Broadcast, openTestNode, type TestHome, type TestNode, testGenesis } from './test-node.ts';

/** What a validator ever told anybody: two values at one step are a double signature. */
class Witness {
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

interface Life {
  readonly home: TestHome;
  readonly disk: CrashDisk;
  readonly genesis: Genesis;
  readonly publisher: ConsensusPublisher;
  readonly witness: Witness;
  readonly point: CrashPoint;
}

/** A node whose log, signer, stores and network stop working at the crash point. */
async function live(life: Life): Promise<TestNode> {
  const { point } = life;
  const node = await openTestNode({
    home: life.home,
    genesis: life.genesis,
    publisher: {
      publish: (message) => {
        point.step('publish');
        life.witness.see(message);
        life.publisher.publish(message);
      },
      misbehaved: life.publisher.misbehaved,
    },
    walFiles: () => life.disk.files(point),
    wrapSigner: (signer): ConsensusSigner => ({
      address: signer.address,
      signVote: async (chainId, vote) => {
        point.step('sign');
        const signed = await signer.signVote(chainId, vote);
        point.step('signed');
        return signed;
      },
      signProposal: async (chainId, proposal) => {
        point.step('sign');
        const signed = await signer.signProposal(chainId, proposal);
        point.step('signed');
        return signed;
      },
    }),
    beforeStep: (step) => point.step(step),
  });
  node.engine.start();
  return node;
}

async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing for ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

const newHome = (index: number): TestHome => ({
  directory: mkdtempSync(join(tmpdir(), 'crash-')),
  index,
  application: { height: 0n, hash: EMPTY_BYTES },
});

const hashes = (node: TestNode): ReadonlyMap<bigint, string> =>
  new Map(node.committed.map(({ height, blockId }) => [height, toHex(blockId.hash)]));

for (const kind of ['process', 'power'] as const) {
  test(`one validator, ${kind} dies at every step of two heights: it restarts, goes on, never signs twice`, async () => {
    const genesis = testGenesis(1);
    let crashes = 0;
    for (let steps = 0; ; steps++) {
      const witness = new Witness();
      const network = new Broadcast();
      const shared = {
        home: newHome(0),
        disk: new CrashDisk(),
        genesis,
        witness,
        publisher: network.publisher(0),
      };
      const point = new CrashPoint(steps);
      const before = await live({ ...shared, point }).catch(() => undefined);
      before?.engine.joinConsensus();
      await Promise.race([point.died, before?.reached(2n)]).catch(() => undefined);
      const crashed = point.dead;
      point.dead = true;
      await before?.stop().catch(() => undefined);
      if (!crashed) break;
      crashes++;
      shared.disk.crash(kind, steps % 17);
      const after = await live({ ...shared, point: new CrashPoint(Number.POSITIVE_INFINITY) });
      const continued = after.engine.lastHeight();
      expect(continued).toBeGreaterThanOrEqual(before?.engine.lastHeight() ?? 0n);
      after.engine.joinConsensus();
      await within(10_000, `restart after ${steps} steps`, after.reached(continued + 2n));
      for (const [height, hash] of before === undefined ? [] : hashes(before)) {
        expect(toHex(after.blocks.blockId(height)?.hash ?? EMPTY_BYTES)).toBe(hash);
      }
      await after.stop();
      expect(witness.doubles, `after ${steps} steps`).toEqual([]);
    }
    expect(crashes).toBeGreaterThan(30);
  }, 120_000);
}
