/** The start of every module that a test makes. */
import type { Module } from '../../framework/module.ts';

/** A module of that name that has nothing and does nothing, but for what is given. */
export function emptyModule(name: string, has: Partial<Module> = {}): Module {
  return {
    name,
    consensusVersion: 1,
    storeNames: [],
    messages: [],
    queries: [],
    genesis: undefined,
    invariants: [],
    ...has,
  };
}
