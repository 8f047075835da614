/**
 * The shell around the consensus core: one queue of inputs, one loop. Each input is applied to the core,
 * and what the core asks for is carried out in order before the next input. Long work (making, judging,
 * executing blocks, signing) runs beside the loop and comes back as an input.
 *
 * Life: `start` (after the handshake) → block sync may deliver → `joinConsensus` replays the log and takes
 * part → `stop`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Input, StartHeight } from '../../consensus/input.ts';
import type { AppendToWal, Decide, Output, ValidateValue } from '../../consensus/output.ts';
import type { BitArray } from '../../consensus/types/bit-array.ts';
import type { PartSetHeader } from '../../consensus/types/block-id.ts';
import type { Part } from '../../consensus/types/part-set.ts';
import type { ConsensusReader } from '../../consensus/view.ts';
import { equalBytes, toHex } from '../../core/bytes.ts';
import { LedgerError, messageOf, unreachable } from '../../core/errors.ts';
import { BlockAssembly, blocksInUse } from './block-assembly.ts';
import { BlockCollector } from './block-collector.ts';
import { Checkpoints } from './checkpoints.ts';
import type { EnginePorts, HeightContext } from './context.ts';
import { decidedBlock, executeDecided, finishHeight } from './decisions.ts';
import { EngineEvents } from './events.ts';
import { faultError } from './fault.ts';
import { FinishWaiters } from './finish-waiters.ts';
import { genesisWaitMs } from './genesis-wait.ts';
import { type EmptyBlockOptions, HeightGate } from './height-gate.ts';
import { Inbox } from './inbox.ts';
import type {
  ConsensusMessage,
  ConsensusReceiver,
  DecidedBlock,
  EngineEvent,
  EngineReader,
  SyncedBlock,
  SyncTarget,
} from './ports.ts';
import { replay } from './replay.ts';
import { holdsTwoThirds, powerOf, sign, signatureOf } from './signing.ts';
import { checkSyncedBlock, expectCommit, readSynced, verifySyncedCommit } from './synced.ts';
import { Timers } from './timers.ts';
import { judge, propose, type ValuePorts } from './values.ts';
import { inputRecord, partRecord } from './wal-codec.ts';
import type { Work } from './work.ts';

/** Items handled before timers and sockets get their turn. */
const ITEMS_PER_TURN = 16;
/** Before consensus nothing is logged, so the end of a height is not marked: joining does it once. */
const UNMARKED = { endHeight: async (): Promise<void> => undefined };

/** Drives one node's consensus. */
export class Engine implements ConsensusReceiver, EngineReader, SyncTarget {
  readonly #ports: EnginePorts;
  readonly #gate: HeightGate;
  readonly #assembly: BlockAssembly;
  readonly #inbox: Inbox;
  readonly #timers: Timers;
  readonly #checkpoints: Checkpoints;
  readonly #events = new EngineEvents();
  readonly #collector: BlockCollector;
  readonly #finishWaiters = new FinishWaiters();
  readonly #background = new Set<Promise<void>>();
  #work: Work[] = [];
  #phase: 'new' | 'syncing' | 'running' | 'stopped' = 'new';
  #pumping = false;
  #pumpDone: Promise<void> = Promise.resolve();
  #current: HeightContext | undefined;
  /** A decision whose block was forgotten: the height ends when the block is here again. */
  #held: Decide | undefined;

  constructor(ports: EnginePorts, options: EmptyBlockOptions) {
    this.#ports = ports;
    this.#gate = new HeightGate(ports, options);
    this.#assembly = new BlockAssembly(() => blocksInUse(ports.core.view()));
    this.#collector = new BlockCollector({ ...ports, assembly: this.#assembly, events: this.#events });
    this.#inbox = new Inbox({ ...ports, assembly: this.#assembly });
    this.#checkpoints = new Checkpoints(ports, () => this.#enqueue({ kind: 'checkpoint' }));
    this.#timers = new Timers(ports.clock, (timeout) => this.#answer({ kind: 'timeoutElapsed', timeout }));
  }

  /** Ready for block sync. The stores and the application have been brought to one height before. */
  start(): void {
    if (this.#phase !== 'new') return;
    this.#phase = 'syncing';
    this.#checkpoints.begin();
  }

  joinConsensus(): void {
    this.#enqueue({ kind: 'join' });
  }

  /** Stops: a block that is being committed is finished, everything logged is on disk. */
  async stop(): Promise<void> {
    this.#halt();
    await this.#pumpDone;
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
    await this.#checkpoints.end();
    await this.#ports.log.sync();
  }

  receive(message: ConsensusMessage, peer: string): void {
    if (this.#phase !== 'running') return;
    this.#inbox.push(message, peer);
    this.#pump();
  }

  consensus(): ConsensusReader | undefined {
    return this.#current === undefined ? undefined : this.#ports.core;
  }

  lastHeight(): bigint {
    return this.#ports.executor.state.lastBlockHeight;
  }

  nextHeight(): bigint {
    const { lastBlockHeight, initialHeight } = this.#ports.executor.state;
    return lastBlockHeight === 0n ? initialHeight : lastBlockHeight + 1n;
  }

  decidesAlone(): boolean {
    return holdsTwoThirds(this.#ports.executor.state.validators, this.#ports.signer?.address);
  }

  partBits(header: PartSetHeader): BitArray | undefined {
    return this.#assembly.partBits(header);
  }

  part(header: PartSetHeader, index: number): Part | undefined {
    return this.#assembly.part(header, index);
  }

  onEvent(listener: (event: EngineEvent) => void): () => void {
    return this.#events.listen(listener);
  }

  applySynced(synced: SyncedBlock): Promise<void> {
    if (this.#phase === 'stopped') return Promise.reject(stopped());
    return new Promise((resolve, reject) => this.#enqueue({ kind: 'synced', synced, resolve, reject }));
  }

  expectSynced({ commit }: SyncedBlock): void {
    const { executor, expectSignature } = this.#ports;
    if (expectSignature !== undefined) expectCommit(commit, executor.state, expectSignature);
  }

  // The loop.

  #enqueue(work: Work): void {
    this.#work.push(work);
    this.#pump();
  }

  #answer(input: Input): void {
    this.#enqueue({ kind: 'input', input });
  }

  #pump(): void {
    if (this.#pumping || this.#phase === 'stopped') return;
    this.#pumping = true;
    this.#pumpDone = this.#run()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#pumping = false;
        const isWaiting = this.#work.length > 0 || (this.#current !== undefined && this.#inbox.length > 0);
        if (isWaiting) this.#pump(); // it came while the loop was ending
      });
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // never inside the caller
    for (let handled = 1; this.#phase !== 'stopped'; handled++) {
      const work = this.#work.shift();
      if (work !== undefined) await this.#handle(work);
      else if (!(await this.#handleMessage())) return;
      if (handled % ITEMS_PER_TURN === 0) await this.#yield();
    }
  }

  #yield(): Promise<void> {
    return this.#ports.clock.yieldToOthers?.() ?? nextTurn();
  }

  async #handle(work: Work): Promise<void> {
    switch (work.kind) {
      case 'join':
        if (this.#phase === 'syncing') await this.#join();
        return;
      case 'nextHeight':
        if (this.#current?.height === work.after) await this.#beginNext();
        return;
      case 'checkpoint':
        if (this.#phase === 'syncing') await this.#checkpoints.write();
        return;
      case 'input':
        await this.#apply(work.input);
        return;
      case 'synced':
        await this.#takeSynced(work).catch(work.reject);
        return;
      default:
        unreachable(work, 'work');
    }
  }

  async #beginNext(): Promise<void> {
    this.#gate.close();
    await this.#apply(this.#startHeight());
    this.#inbox.releaseFuture();
  }

  /** Handles one message from a peer; false when there is none. */
  async #handleMessage(): Promise<boolean> {
    const current = this.#current;
    if (current === undefined) return false;
    const taken = this.#inbox.next(current, this.#gate.isWaiting ? this.#next(current) : undefined);
    if (taken === undefined) return false;
    if (taken.kind === 'input') {
      this.#watch(taken.input);
      await this.#apply(taken.input);
    }
    if (taken.kind === 'part') {
      this.#collector.took(taken.header, taken.part, current.height);
      this.#useIfComplete(taken.header);
    }
    if (taken.kind === 'future') this.#gate.open();
    return true;
  }

  /** A verified message from a peer with our own signature: the signer must remember it. */
  #watch(input: Input): void {
    const { guard, core } = this.#ports;
    const signed = signatureOf(input, core);
    if (guard === undefined || signed === undefined) return;
    guard.saw(signed);
    guard.check();
  }

  /** What messages of the next height are held against; undefined before the block is executed. */
  #next({ height }: HeightContext): HeightContext | undefined {
    const { chainId, lastBlockHeight, validators, lastValidators } = this.#ports.executor.state;
    if (lastBlockHeight !== height) return undefined;
    return { chainId, height: height + 1n, validators, lastValidators };
  }

  async #apply(input: Input): Promise<void> {
    for (const output of this.#ports.core.apply(input)) await this.#carryOut(output);
    this.#tellStep();
  }

  async #carryOut(output: Output): Promise<void> {
    const { publisher, evidence } = this.#ports;
    switch (output.kind) {
      case 'appendToWal':
        return this.#append(output);
      case 'requestValue':
        return this.#inBackground(propose(this.#valuePorts(), output));
      case 'signProposal':
      case 'signVote':
        return this.#inBackground(sign(this.#signingPorts(), output));
      case 'publishProposal': {
        const { proposal } = output;
        publisher.publish({ kind: 'proposal', proposal });
        for (const part of this.#assembly.parts(proposal.blockId.partSetHeader)) {
          publisher.publish({ kind: 'blockPart', height: proposal.height, round: proposal.round, part });
        }
        return;
      }
      case 'publishVote':
        return publisher.publish({ kind: 'vote', vote: output.vote });
      case 'scheduleTimeout':
        return this.#timers.schedule(output.timeout, output.durationMs);
      case 'validateValue':
        return this.#want(output);
      case 'decide':
        return this.#decide(output);
      case 'reportEvidence':
        return evidence.conflictingVotes(output.first, output.second);
      case 'fault':
        throw faultError(output);
      default:
        unreachable(output, 'output');
    }
  }

  // Start and replay.

  async #join(): Promise<void> {
    const { core, log, executor, logger, clock } = this.#ports;
    const { lastBlockHeight } = executor.state;
    const waitMs = genesisWaitMs(executor.state, clock.now());
    if (waitMs > 0) {
      logger.info({ waitMs }, 'the genesis time is still to come');
      clock.schedule(waitMs, () => this.joinConsensus());
      return;
    }
    await this.#checkpoints.end();
    if (this.#phase !== 'syncing') return; // stopped meanwhile
    this.#ports.guard?.checkBeforeJoining();
    this.#phase = 'running';
    const records = log.takeReplay(lastBlockHeight, lastBlockHeight === 0n);
    if (records === undefined) await log.endHeight(lastBlockHeight);
    core.apply(this.#startHeight());
    replay(records ?? [], { core, assembly: this.#assembly, evidence: this.#ports.evidence });
    const replayed = records?.length ?? 0;
    const signs = powerOf(executor.state.validators, this.#ports.signer?.address) > 0n;
    logger.info({ height: this.nextHeight(), replayed, signs }, 'taking part in consensus');
    for (const output of core.resume()) await this.#carryOut(output);
    this.#tellStep();
  }

  /** The input that begins the next height, and everything that belongs to the height made new. */
  #startHeight(): StartHeight {
    const { executor, blocks } = this.#ports;
    const { chainId, lastBlockHeight, validators, lastValidators, consensusParams } = executor.state;
    const height = this.nextHeight();
    this.#current = { chainId, height, validators, lastValidators };
    this.#assembly.reset(consensusParams.block.maxBytes);
    this.#collector.reset();
    this.#held = undefined;
    const commit = lastBlockHeight === 0n ? undefined : blocks.seenCommit(lastBlockHeight);
    const last = commit === undefined ? undefined : { commit, validators: lastValidators };
    return { kind: 'startHeight', height, validators, last };
  }

  // Effects.

  async #append({ input, sync }: AppendToWal): Promise<void> {
    const { log } = this.#ports;
    log.append(inputRecord(input));
    if (sync) await log.sync();
    if (input.kind === 'proposal' || input.kind === 'signedProposal')
      this.#events.tell({ kind: 'proposal', proposal: input.proposal });
    if (input.kind === 'vote' || input.kind === 'signedVote')
      this.#events.tell({ kind: 'vote', vote: input.vote });
  }

  #want(request: ValidateValue): void {
    const { height, blockId } = request;
    const reason = this.#collector.want(request);
    if (reason !== undefined) {
      this.#ports.logger.warn({ height, reason }, 'a proposal names an impossible block');
      this.#answer({ kind: 'value', height, blockId, validity: 'invalid' });
    }
    this.#useIfComplete(blockId.partSetHeader);
  }

  #useIfComplete(header: PartSetHeader): void {
    if (!this.#assembly.isComplete(header)) return;
    const request = this.#collector.takeRequest(header);
    if (request !== undefined) this.#inBackground(judge(this.#valuePorts(), request));
    if (this.#held !== undefined) this.#decide(this.#held);
  }

  /** Finishes the height. A block that was judged and then forgotten for others is collected first. */
  #decide(decide: Decide): void {
    const { executor, logger } = this.#ports;
    this.#collector.collect(decide.blockId.partSetHeader, decide.height);
    const decided = decidedBlock(this.#assembly, decide);
    this.#held = decided === undefined ? decide : undefined;
    if (decided === undefined) return;
    const { header, txs } = decided.block;
    this.#inBackground(
      finishHeight(this.#ports, decided).then((times) => {
        const hash = toHex(decide.blockId.hash).slice(0, 12);
        const facts = { height: header.height, round: decide.round, txs: txs.length, hash, ...times };
        logger.info(facts, 'committed block');
        this.#heightFinished(header.height);
        const appHashChanged = !equalBytes(header.appHash, executor.state.appHash);
        const begin = (): void => this.#enqueue({ kind: 'nextHeight', after: header.height });
        this.#gate.wait(begin, () => appHashChanged || this.#othersAreAhead());
        return undefined;
      }),
    );
  }

  #othersAreAhead(): boolean {
    const next = this.#current && this.#next(this.#current);
    return next !== undefined && this.#inbox.showsOthersAhead(next);
  }

  #heightFinished(height: bigint): void {
    this.#events.tell({ kind: 'committed', height });
    this.#finishWaiters.finished(height);
  }

  // Block sync.

  async #takeSynced(work: Extract<Work, { readonly kind: 'synced' }>): Promise<void> {
    const { synced, resolve } = work;
    const height = this.nextHeight();
    if (synced.height !== height) {
      resolve();
      return;
    }
    const isAhead = this.#phase === 'running' && this.#current?.height !== height;
    if (isAhead && this.#finishWaiters.last !== height - 1n) {
      // The height before is executed and being told of.
      this.#finishWaiters.add(height - 1n, () => this.#enqueue(work));
      return;
    }
    const { executor, verify, guard } = this.#ports;
    const decided = readSynced(synced);
    verifySyncedCommit(decided, { ...executor.state, verify });
    guard?.sawCommit(decided.seenCommit);
    this.#orFail(() => {
      if (this.#phase === 'running') guard?.check();
      checkSyncedBlock(decided, executor);
    });
    if (isAhead) await this.#beginNext(); // it waited for something to make a block of
    this.#finishWaiters.add(height, resolve);
    if (this.#phase === 'syncing') await this.#applyDirectly(decided);
    else await this.#decideBySync(decided);
  }

  #orFail(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  async #applyDirectly(decided: DecidedBlock): Promise<void> {
    try {
      const committed = await executeDecided({ ...this.#ports, log: UNMARKED }, decided);
      await this.#checkpoints.applied(committed, decided.blockSize);
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#heightFinished(decided.block.header.height);
    await this.#yield();
  }

  /**
   * The core ends the height by the commit; the parts are logged, so that it can do so again after a crash.
   */
  async #decideBySync(decided: DecidedBlock): Promise<void> {
    for (const part of decided.parts) {
      this.#ports.log.append(partRecord(part));
      this.#assembly.restore(part);
    }
    await this.#apply({ kind: 'decidedBySync', commit: decided.seenCommit });
    if (this.#held !== undefined) this.#decide(this.#held);
  }

  // Helpers.

  #valuePorts(): ValuePorts {
    return { ...this.#ports, assembly: this.#assembly };
  }

  #signingPorts(): Parameters<typeof sign>[0] {
    const { chainId } = this.#ports.executor.state;
    return { ...this.#ports, chainId, timeOf: (id) => this.#assembly.block(id)?.header.time };
  }

  #inBackground(task: Promise<Input | undefined>): void {
    const tracked = task
      .then((input) => {
        if (input !== undefined && this.#phase === 'running') this.#answer(input);
      })
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  /** Tells of a new step. A block that matters again and was forgotten is collected anew. */
  #tellStep(): void {
    const view = this.#ports.core.view();
    if (!this.#events.tellStep(view)) return;
    for (const header of blocksInUse(view)) {
      this.#collector.collect(header, view.height);
      this.#useIfComplete(header);
    }
  }

  #fail(error: unknown): void {
    if (this.#phase === 'stopped') return;
    this.#checkpoints.abandon();
    this.#ports.logger.error({ reason: messageOf(error) }, 'consensus stopped');
    this.#halt();
    this.#ports.onFatal(error);
  }

  #halt(): void {
    this.#phase = 'stopped';
    this.#timers.cancelAll();
    this.#checkpoints.cancel();
    this.#gate.close();
    this.#finishWaiters.release();
    for (const work of this.#work) if (work.kind === 'synced') work.reject(stopped());
    this.#work = [];
  }
}

function stopped(): LedgerError {
  return new LedgerError('engine.stopped', 'the node is stopping');
}
