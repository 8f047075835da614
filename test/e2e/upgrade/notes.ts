/** What the next release has: a module that is new, with a store of its own, and the upgrade that brings it. */
import { utf8 } from '../../../core/bytes.ts';
import type { Module } from '../../../framework/module.ts';
import type { Upgrade } from '../../../modules/upgrade/types.ts';
import { emptyModule } from '../../support/empty-module.ts';

/** Name of the plan. */
export const PLAN_NAME = 'v2';
/** The store that is added. */
export const STORE = 'notes';
/** Where the module notes in which block it was last. */
export const KEY: Uint8Array = utf8('height');

/** Notes the height of each block; of the block before it began, at its genesis. */
export const NOTES: Module = emptyModule('notes', {
  storeNames: [STORE],
  genesis: {
    defaults: () => ({}),
    validate: () => undefined,
    init(context) {
      context.store(STORE).set(utf8('genesis'), utf8(`${context.block.height}`));
      return [];
    },
    export: () => ({}),
  },
  beginBlock(context) {
    context.store(STORE).set(KEY, utf8(`${context.block.height}`));
  },
});

/** What its plan needs. */
export const UPGRADE: Upgrade = { name: PLAN_NAME, stores: { added: [STORE] } };
