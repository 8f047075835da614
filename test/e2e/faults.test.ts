import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keyOfMnemonic } from '../../cli/wallet/hd.ts';
import { toBase64 } from '../../core/bytes.ts';
import { txKey } from '../../node/tx-key.ts';
import { killProcess } from './processes.ts';
import { killDevnetAfter, RunningDevnet, RunningNode, temporaryHome } from './program.ts';
import { accountAt } from './account.ts';
import { type BlockFacts, blockAt, call, heightOf } from './rpc.ts';
import { type Sender, signedSend } from './senders.ts';
import { doubleSignatures, signedMessagesUnder } from './signed-messages.ts';

const FAST = ['--rpc-port', '0', '--block-time', '100ms', '--accounts', '1'];
const KILLS = 10;
const KILL_WITHIN_MS = 700;
/** About what a start takes with four nodes on two cores, the making of their homes included; then measured. */
const FIRST_START_MS = 3_000;
/** A chain without a majority must stay where it is for this long: several times what a block takes. */
const STANDSTILL_MS = 3_000;

let home = '';
let started: { readonly stop: () => Promise<unknown> }[] = [];

beforeEach(() => {
  home = temporaryHome();
});

afterEach(async () => {
  await Promise.all(started.map((each) => each.stop()));
  started = [];
  rmSync(home, { recursive: true, force: true });
});

async function startDevnet(...args: readonly string[]): Promise<RunningDevnet> {
  const devnet = await RunningDevnet.start(['--home', home, ...args]);
  started.push(devnet);
  return devnet;
}

async function startNode(devnet: RunningDevnet, index: number): Promise<RunningNode> {
  const node = await RunningNode.start(devnet.ready.nodes[index]?.home ?? '');
  started.push(node);
  return node;
}

const kill = (devnet: RunningDevnet, index: number): void => killProcess(devnet.ready.nodes[index]?.pid ?? 0);

function expectNoDoubleSignature(): void {
  const messages = signedMessagesUnder(home);
  expect(messages.length).toBeGreaterThan(0);
  expect(doubleSignatures(messages)).toEqual([]);
}

describe('with four validators', () => {
  it('one can be killed: blocks go on, and it catches up when it is back', async () => {
    const devnet = await startDevnet(...FAST);
    await devnet.moreBlocks(3);
    kill(devnet, 3);
    const missed = await devnet.moreBlocks(5);
    const back = await startNode(devnet, 3);
    await back.waitForHeight(missed);
    const target = (await devnet.moreBlocks(2)) + 1;
    await Promise.all([back.waitForHeight(target), devnet.waitForHeight(target)]);
    const rpc = devnet.ready.nodes[0]?.rpc ?? '';
    for (const height of [missed, target]) {
      expect(await blockAt(back.rpc, height)).toEqual(await blockAt(rpc, height));
    }
    expectNoDoubleSignature();
  });

  it('two killed stop the chain without a fork, one that is back moves it again, and the other joins it', async () => {
    const devnet = await startDevnet(...FAST);
    await devnet.moreBlocks(3);
    kill(devnet, 2);
    kill(devnet, 3);
    // What was under way when they died may still be decided: one block at most.
    const height = devnet.height + 1;
    await delay(STANDSTILL_MS);
    expect(devnet.height).toBeLessThanOrEqual(height);
    const stood = devnet.height;
    const back = await startNode(devnet, 2);
    await devnet.waitForHeight(stood + 3);
    await back.waitForHeight(stood + 3);
    const last = await startNode(devnet, 3);
    const target = devnet.height + 3;
    await Promise.all([devnet, back, last].map((each) => each.waitForHeight(target)));
    const rpc = devnet.ready.nodes[0]?.rpc ?? '';
    const others = [devnet.ready.nodes[1]?.rpc ?? '', back.rpc, last.rpc];
    for (let at = 1; at <= target; at++) {
      const block = await blockAt(rpc, at);
      for (const url of others) expect(await blockAt(url, at), `height ${at} of ${url}`).toEqual(block);
    }
    expectNoDoubleSignature();
  });
});

describe('all four killed at a random moment, ten times', () => {
  it('always start again, never sign twice, never lose what was committed', async () => {
    const told: Told = { blocks: new Map(), txs: new Map() };
    let startMs = FIRST_START_MS;
    for (let run = 0; run < KILLS; run++) {
      const args = ['--home', home, ...FAST];
      // In turn while they make homes, start and replay, and after they have committed something.
      if (run % 2 === 0) await killDevnetAfter(args, Math.random() * startMs);
      else startMs = await killAfterCommit(args, told);
    }
    const devnet = await startDevnet();
    const last = Math.max(...told.blocks.keys());
    await devnet.waitForHeight(last + 1);
    for (const { rpc, moniker } of devnet.ready.nodes) {
      for (const [height, block] of told.blocks) {
        expect(await blockAt(rpc, height), `${moniker}, height ${height}`).toEqual(block);
      }
      for (const [hash, height] of told.txs) {
        const found = await call<{ height: string }>(rpc, 'tx', {
          hash: Buffer.from(hash, 'hex').toString('base64'),
        });
        expect(Number(found.height), `${moniker}, ${hash}`).toBe(height);
      }
    }
    expect(told.txs.size).toBeGreaterThanOrEqual(KILLS / 2);
    expectNoDoubleSignature();
  });
});

/** Returns what the start took, until all nodes had joined consensus, in milliseconds. */
async function killAfterCommit(args: readonly string[], told: Told): Promise<number> {
  const begin = performance.now();
  const devnet = await RunningDevnet.start(args);
  const committedBefore = told.txs.size;
  const traffic = new Traffic(devnet, told);
  const sending = traffic.run();
  await devnet.moreBlocks(1);
  const startMs = performance.now() - begin;
  // Something is committed before the kill: a traffic that fails earlier fails the test.
  await Promise.race([traffic.committed, sending]);
  await delay(Math.random() * KILL_WITHIN_MS);
  traffic.expectTheEnd();
  await devnet.killAll();
  await sending;
  expect(told.txs.size, 'transactions committed').toBeGreaterThan(committedBefore);
  return startMs;
}

/** What nodes said is committed. */
interface Told {
  readonly blocks: Map<number, BlockFacts>;
  /** Heights by transaction hash, hexadecimal. */
  readonly txs: Map<string, number>;
}

/** Sends transactions and notes what the chain says is committed, until the devnet is killed. */
class Traffic {
  /** Resolves when a transaction is committed. */
  readonly committed: Promise<void>;
  readonly #devnet: RunningDevnet;
  readonly #sender: Sender;
  readonly #told: Told;
  #tellCommitted: () => void = () => undefined;
  #isEndExpected = false;
  #turn = 0;

  constructor(devnet: RunningDevnet, told: Told) {
    this.#devnet = devnet;
    this.#told = told;
    const [account] = devnet.ready.accounts;
    this.#sender = { ...keyOfMnemonic(account?.mnemonic ?? ''), address: account?.address ?? '' };
    this.committed = new Promise((resolve) => {
      this.#tellCommitted = resolve;
    });
  }

  /** From now on errors are the kill's. */
  expectTheEnd(): void {
    this.#isEndExpected = true;
  }

  /** @throws whatever goes wrong before the end is expected */
  async run(): Promise<void> {
    const { nodes } = this.#devnet.ready;
    try {
      // A node without a block has no account either.
      for (const { rpc } of nodes) while ((await heightOf(rpc)) === 0) await this.#devnet.moreBlocks(1);
      for (;;) {
        // Each node in turn says what is committed: what one has said counts for all.
        const rpc = nodes[this.#turn++ % nodes.length]?.rpc ?? '';
        await this.#send(rpc);
        await this.#devnet.moreBlocks(1);
        await this.#note(rpc);
      }
    } catch (error) {
      if (!this.#isEndExpected) throw error;
    }
  }

  async #note(rpc: string): Promise<void> {
    const { blocks, txs } = this.#told;
    const last = await heightOf(rpc);
    for (let height = last; height > 0 && !blocks.has(height); height--) {
      const block = await blockAt(rpc, height);
      blocks.set(height, block);
      for (const tx of block.txs) txs.set(txKey(Buffer.from(tx, 'base64')), height);
      if (block.txs.length > 0) this.#tellCommitted();
    }
  }

  /** One transfer; which sequence is next is asked of the chain, because a kill may have lost what waited. */
  async #send(rpc: string): Promise<void> {
    const { chain_id: chainId, denom } = this.#devnet.ready;
    const from = this.#sender;
    const { accountNumber, sequence } = await accountAt(rpc, from.address);
    // With a memo of its own: one that waits already would be refused as known.
    const memo = `${this.#devnet.pid}-${this.#turn}`;
    const tx = signedSend({ chainId, denom }, { from, to: from.address, accountNumber, sequence, memo });
    await call(rpc, 'broadcast_tx_sync', { tx: toBase64(tx) });
  }
}
