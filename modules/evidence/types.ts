import type { AnyType } from '../../framework/any-types.ts';
import type { Context } from '../../framework/context.ts';
import type { MessageType } from '../../proto/codec/message.ts';
import { Equivocation } from '../../proto/gen/cosmos/evidence/v1beta1/evidence.ts';

/** The interface of evidence. Its .proto files do not say it of the messages. */
export const EVIDENCE_INTERFACE = 'cosmos.evidence.v1beta1.Evidence';

/** A kind of evidence that may be stored and submitted. */
export interface EvidenceKind<E> {
  readonly type: MessageType<E>;
  /** Under which handlers are found: `equivocation`. */
  readonly route: string;
  /** What is wrong with it, without state; undefined when nothing is. */
  problem(evidence: E): string | undefined;
}

/** Judges evidence that a transaction brings, and punishes. @throws when it proves nothing */
export type EvidenceHandler = (context: Context, evidence: unknown) => void;

/** Two votes in one step, or a part in an attack on light clients. */
export const EQUIVOCATION: EvidenceKind<Equivocation> = {
  type: Equivocation,
  route: 'equivocation',
  problem({ height, time, power, consensusAddress }) {
    if (time.seconds <= 0n) return `invalid equivocation time: ${time.seconds}`;
    if (height < 1n) return `invalid equivocation height: ${height}`;
    if (power < 1n) return `invalid equivocation validator power: ${power}`;
    if (consensusAddress === '') return 'invalid equivocation validator consensus address: ';
    return undefined;
  },
};

/** All kinds of evidence, as an `Any` may hold them. */
export const EVIDENCE_TYPES: readonly AnyType[] = [
  { type: EQUIVOCATION.type, interfaceName: EVIDENCE_INTERFACE },
];
