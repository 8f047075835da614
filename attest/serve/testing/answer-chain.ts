/** Chains that take answers. */
import type { AnswerChain, ChunkAnswer, OpenRequest } from '../answer-ports.ts';

/** A chain with these open requests that takes every answer; what it took. */
export interface TakingChain extends AnswerChain {
  readonly taken: ChunkAnswer[];
}

/** Transactions are called TX1, TX2 …; a part that a test gives takes the place of its own. */
export function takingChain(
  open: () => readonly OpenRequest[],
  parts: Partial<AnswerChain> = {},
): TakingChain {
  const taken: ChunkAnswer[] = [];
  let txs = 0;
  return {
    taken,
    openRequests: async () => open(),
    blockRoom: async () => ({ bytesMax: 4_194_304, gasMax: -1 }),
    simulate: async () => 1,
    async send(sent) {
      taken.push(...sent.flatMap(({ answers }) => answers));
      return sent.map(() => ({ status: 'fulfilled', value: `TX${++txs}` }));
    },
    ...parts,
  };
}
