import type { AddressCodec } from '../../framework/address.ts';
import type { JsonReader } from '../../framework/json.ts';
import type { MessageRouter } from '../../framework/message.ts';
import type { Module } from '../../framework/module.ts';
import { type GenTx, genTxFromJson } from './gentx.ts';

/** What genutil needs from the rest of the application. */
export interface GenutilPorts {
  readonly addresses: AddressCodec;
  /** Known once all modules are made. */
  readonly router: () => MessageRouter;
}

/** The module, and the reader of its section: the application delivers what is in it. */
export interface GenutilModule {
  readonly module: Module;
  /** @throws JsonError naming the path */
  readonly genTxs: (section: JsonReader) => readonly GenTx[];
}

/** Transactions of the genesis document: `app_state.genutil.gen_txs`. No state of its own. */
export function createGenutilModule({ addresses, router }: GenutilPorts): GenutilModule {
  const genTxs = (section: JsonReader): readonly GenTx[] => {
    section.onlyMembers('gen_txs');
    const ports = { addresses, router: router() };
    return section
      .member('gen_txs')
      .elements()
      .map((json) => genTxFromJson(json, ports));
  };
  const module: Module = {
    name: 'genutil',
    consensusVersion: 1,
    storeNames: [],
    messages: [],
    queries: [],
    genesis: {
      defaults: () => ({ gen_txs: [] }),
      validate: (json) => void genTxs(json),
      // Delivered by the application once every module has its first state.
      init: () => [],
      // What they brought about is in the other modules' sections.
      export: () => ({ gen_txs: [] }),
    },
    invariants: [],
  };
  return { module, genTxs };
}
