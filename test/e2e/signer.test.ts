/** A validator whose key is in another process: both are killed, in turn, and nothing is signed twice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, type TestContext } from 'vitest';
import { killProcess, processEnd } from './processes.ts';
import { env, mainFile, RunningNode, runProgram, temporaryHome } from './program.ts';

const CHAIN = 'signer-test-1';

/** Where a test has its node and its signer; gone with all that runs there when the test is over. */
class Place {
  readonly folder: string = temporaryHome();
  readonly vault: string = join(this.folder, 'vault');
  readonly key: string = join(this.vault, 'key.json');
  readonly state: string = join(this.vault, 'state.json');
  readonly log: string = join(this.folder, 'signed.log');
  readonly unixAddress: string = `unix://${join(this.folder, 's')}`;
  readonly #children: { readonly child: ChildProcess; readonly closed: Promise<unknown> }[] = [];

  constructor({ onTestFinished }: TestContext) {
    onTestFinished(async () => {
      // What a killed signer still had to say is read, and written here, before its folder goes.
      for (const { child } of this.#children) child.kill('SIGKILL');
      await Promise.all(this.#children.map(({ closed }) => closed));
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  /** Arguments of a signer with the key of this place. */
  get signerArgs(): readonly string[] {
    return ['signer', '--key', this.key, '--state', this.state];
  }

  get stateHeight(): number {
    return Number(JSON.parse(readFileSync(this.state, 'utf8')).height);
  }

  signer(address: string): RunningSigner {
    const args = [...this.signerArgs, '--address', address, '--chain-id', CHAIN, '--log-level', 'debug'];
    const child = spawn(process.execPath, [mainFile, ...args], { stdio: ['ignore', 'pipe', 'inherit'], env });
    this.#children.push({ child, closed: once(child, 'close') });
    return new RunningSigner(child, this.log);
  }

  /** A node whose key and signing state were moved away from it. */
  async nodeWithoutKey(address: string): Promise<string> {
    const home = join(this.folder, 'home');
    const any = ['--rpc-laddr', 'tcp://127.0.0.1:0', '--p2p-laddr', 'tcp://127.0.0.1:0'];
    await runProgram(['init', 'a', '--home', home, '--chain-id', CHAIN, ...any]);
    mkdirSync(this.vault);
    renameSync(join(home, 'config', 'priv_validator_key.json'), this.key);
    renameSync(join(home, 'data', 'priv_validator_state.json'), this.state);
    const config = join(home, 'config', 'config.toml');
    const text = readFileSync(config, 'utf8')
      .replace('priv_validator_laddr = ""', `priv_validator_laddr = "${address}"`)
      .replace('timeout_commit = "1s"', 'timeout_commit = "200ms"');
    writeFileSync(config, text);
    return home;
  }
}

/** A signer as an operator runs it. Its lines are kept; one can be waited for. */
class RunningSigner {
  readonly pid: number;
  readonly lines: string[] = [];
  #waiting: { readonly text: string; readonly resolve: () => void }[] = [];

  constructor(child: ChildProcess, log: string) {
    this.pid = child.pid ?? 0;
    if (child.stdout === null) throw new Error('the signer has no output');
    createInterface({ input: child.stdout }).on('line', (line) => {
      this.lines.push(line);
      appendFileSync(log, `${line}\n`);
      for (const each of this.#waiting) if (line.includes(each.text)) each.resolve();
    });
  }

  next(text: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ text, resolve }));
  }

  async kill(): Promise<void> {
    killProcess(this.pid);
    await processEnd(this.pid);
  }
}

interface VoteView {
  readonly hash: string;
  readonly height: number;
  readonly round: number;
  readonly signature: string;
}

/** The precommits of each height, as everybody can read them. */
async function commitOf(rpc: string, height: number): Promise<VoteView> {
  const response = await fetch(`${rpc}/commit?height=${height}`);
  const { result } = (await response.json()) as {
    result: {
      signed_header: {
        commit: { round: number; block_id: { hash: string }; signatures: { signature: string }[] };
      };
    };
  };
  const { round, block_id: block, signatures } = result.signed_header.commit;
  return { height, round, hash: block.hash, signature: signatures[0]?.signature ?? '' };
}

// At once: one of them waits for what a node waits at most.
describe.concurrent('a validator whose key is in openledgerd signer', () => {
  it('halts without its signer, goes on when it is back, survives kill -9 of either, and signs nothing twice', {
    timeout: 120_000,
  }, async (context) => {
    const place = new Place(context);
    const address = place.unixAddress;
    const home = await place.nodeWithoutKey(address);
    let signer = place.signer(address);
    let node = await RunningNode.start(home);
    const seen: VoteView[] = [];
    for (let turn = 0; turn < 2; turn++) {
      await node.waitForHeight(node.height + 3);
      await signer.kill();
      const stopped = node.height;
      const signedSoFar = place.stateHeight;
      expect(signedSoFar).toBeLessThanOrEqual(stopped + 1);
      // A second of a chain with blocks of 200 ms: at most what was signed before the kill comes after it.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(node.height).toBeLessThanOrEqual(signedSoFar);
      signer = place.signer(address);
      await node.waitForHeight(node.height + 2);
      for (let height = 1; height < node.height; height++) seen.push(await commitOf(node.rpc, height));
      const redialled = signer.next('connected to the node');
      killProcess(node.pid);
      await node.ended;
      node = await RunningNode.start(home);
      await redialled;
      await node.waitForHeight(node.height + 2);
    }
    for (const view of seen) expect(await commitOf(node.rpc, view.height)).toEqual(view);
    const signatures = new Set(seen.map((view) => view.signature));
    expect(signatures.size).toBe(new Set(seen.map((view) => view.height)).size);
    await node.stop();
    const log = readFileSync(place.log, 'utf8');
    expect(log).not.toContain('something else');
  });

  it('does not start without its signer, and says what to do', { timeout: 60_000 }, async (context) => {
    const home = await new Place(context).nodeWithoutKey('tcp://127.0.0.1:0');
    const ended = await runProgram(['start', '--home', home, '--log-level', 'none']);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /^openledgerd: no signer connected to tcp:\/\/127\.0\.0\.1:\d+ within 10 s\. Start it .*\n$/,
    );
  });

  it('is refused a second signer with the same state, in words', { timeout: 60_000 }, async (context) => {
    const place = new Place(context);
    const address = place.unixAddress;
    await place.nodeWithoutKey(address);
    const first = place.signer(address);
    await first.next('the signer has started');
    const args = place.signerArgs;
    const ended = await runProgram([...args, '--address', address, '--chain-id', CHAIN]);
    expect(ended.stderr).toMatch(
      /^openledgerd: a signer with the state .* is running already \(process \d+\)/,
    );
    const wrong = await runProgram([...args, '--address', 'nowhere', '--chain-id', CHAIN]);
    expect(wrong.stderr).toMatch(/^openledgerd: --address: "nowhere" is not an address such as/);
    const noChain = await runProgram([...args, '--address', address]);
    expect(noChain.stderr).toMatch(/^openledgerd: --chain-id is needed/);
  });
});
