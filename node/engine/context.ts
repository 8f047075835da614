/** What an engine is made of, and what it holds messages against. */
import type { VerifySignature } from '../../consensus/types/public-key.ts';
import type { ValidatorSet } from '../../consensus/types/validator.ts';
import type { HeldWrites } from '../held-writes.ts';
import type {
  BlockSink,
  ChainExecutor,
  CommitListener,
  ConsensusCore,
  ConsensusLog,
  ConsensusPublisher,
  ConsensusSigner,
  EngineClock,
  EngineLogger,
  ExpectSignature,
  EvidenceSink,
  SigningGuard,
  TransactionSignal,
} from './ports.ts';

/** The collaborators of the engine. */
export interface EnginePorts {
  readonly core: ConsensusCore;
  readonly executor: ChainExecutor;
  readonly blocks: BlockSink;
  /** Absent: every block from block sync is made durable on its own. */
  readonly writes?: HeldWrites | undefined;
  readonly log: ConsensusLog;
  /** Undefined in a node that does not validate. */
  readonly signer: ConsensusSigner | undefined;
  /** Undefined in a node that does not validate. */
  readonly guard: SigningGuard | undefined;
  readonly publisher: ConsensusPublisher;
  readonly transactions: TransactionSignal;
  readonly evidence: EvidenceSink;
  readonly listeners: readonly CommitListener[];
  readonly verify: VerifySignature;
  readonly expectSignature?: ExpectSignature | undefined;
  readonly clock: EngineClock;
  readonly logger: EngineLogger;
  /** The engine cannot go on and has stopped: the process should end with this error. */
  readonly onFatal: (error: unknown) => void;
}

/** What messages of the current height are held against. */
export interface HeightContext {
  readonly chainId: string;
  readonly height: bigint;
  readonly validators: ValidatorSet;
  readonly lastValidators: ValidatorSet;
}
