/** Every decoder of bytes from peers, signers, clients and servers. */
import type { Target } from './target.ts';
import { ANSWER_TARGETS } from './targets/answers.ts';
import { ATTRIBUTION_TARGETS } from './targets/attribution.ts';
import { CODEC_TARGETS } from './targets/codec.ts';
import { CONSENSUS_TARGETS } from './targets/consensus.ts';
import { EXECUTION_TARGETS } from './targets/execution.ts';
import { INFLUENCE_TARGETS } from './targets/influence.ts';
import { JSON_TARGETS } from './targets/json.ts';
import { LOG_TARGETS } from './targets/log.ts';
import { NETWORK_TARGETS } from './targets/network.ts';
import { SIGNER_TARGETS } from './targets/signer.ts';
import { STATE_SYNC_TARGETS } from './targets/state-sync.ts';
import { STATE_TARGETS } from './targets/state.ts';
import { TRANSACTION_TARGETS } from './targets/transactions.ts';

export const TARGETS: readonly Target[] = [
  ...NETWORK_TARGETS,
  ...STATE_SYNC_TARGETS,
  ...CONSENSUS_TARGETS,
  ...CODEC_TARGETS,
  ...STATE_TARGETS,
  ...TRANSACTION_TARGETS,
  ...EXECUTION_TARGETS,
  ...LOG_TARGETS,
  ...INFLUENCE_TARGETS,
  ...SIGNER_TARGETS,
  ...JSON_TARGETS,
  ...ANSWER_TARGETS,
  ...ATTRIBUTION_TARGETS,
];
