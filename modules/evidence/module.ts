import type { Module } from '../../framework/module.ts';
import { beginBlock } from './equivocation.ts';
import { evidenceGenesis } from './genesis.ts';
import { evidenceInvariants } from './invariants.ts';
import { evidenceMessages } from './messages.ts';
import type { EvidenceCore, EvidencePorts } from './ports.ts';
import { evidenceQueries } from './queries.ts';
import { evidenceState, STORE_NAME } from './state.ts';
import { EVIDENCE_TYPES } from './types.ts';

/** Punishment of validators that break the rules of consensus. */
export function createEvidenceModule(ports: EvidencePorts): Module {
  const core: EvidenceCore = { ...ports, state: evidenceState() };
  return {
    name: 'evidence',
    consensusVersion: 1,
    storeNames: [STORE_NAME],
    messages: evidenceMessages(core),
    queries: evidenceQueries(core.state),
    anyTypes: EVIDENCE_TYPES,
    genesis: evidenceGenesis(core.state),
    beginBlock: (context) => beginBlock(core, context),
    invariants: evidenceInvariants(core),
  };
}
