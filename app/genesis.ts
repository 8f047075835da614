import { canonicalJson, type JsonObject, JsonReader, type JsonValue } from '../framework/json.ts';
import type { Context, ReadContext } from '../framework/context.ts';
import type { Module } from '../framework/module.ts';
import type { ValidatorUpdate } from '../proto/gen/tendermint/abci/types.ts';

/** Where module sections stand in a genesis document. */
const APP_STATE = 'app_state';

/** The sections of a new chain: every module's defaults. */
export function defaultAppState(modules: readonly Module[]): JsonObject {
  const sections = modules.flatMap(({ name, genesis }): [string, JsonValue][] =>
    genesis === undefined ? [] : [[name, genesis.defaults()]],
  );
  return Object.fromEntries(sections);
}

/**
 * Checks all sections; one that is missing stands for its defaults.
 * @throws JsonError naming the path, as `app_state.bank.balances[3].coins[0].amount`
 */
export function validateAppState(modules: readonly Module[], appState: JsonValue): void {
  const root = new JsonReader(appState, APP_STATE);
  for (const [name, section] of Object.entries(root.object())) {
    const module = modules.find((candidate) => candidate.name === name);
    // The SDK writes `"consensus": null` for modules without a section.
    if (module === undefined || (module.genesis === undefined && section !== null))
      root.member(name).fail('there is no module of this name with a genesis section');
  }
  for (const module of modules) module.genesis?.validate(sectionOf(module, root));
}

/** Writes the first state, module by module. */
export function initModules(
  modules: readonly Module[],
  context: Context,
  appState: JsonValue,
): readonly ValidatorUpdate[] {
  validateAppState(modules, appState);
  const root = new JsonReader(appState, APP_STATE);
  return modules.flatMap((module) => module.genesis?.init(context, sectionOf(module, root)) ?? []);
}

/** The sections that would restore this state. */
export function exportModules(modules: readonly Module[], context: ReadContext): JsonObject {
  const sections = modules.flatMap(({ name, genesis }): [string, JsonValue][] =>
    genesis === undefined ? [] : [[name, genesis.export(context)]],
  );
  return Object.fromEntries(sections);
}

function sectionOf(module: Module, root: JsonReader): JsonReader {
  const section = root.member(module.name);
  if (section.present || module.genesis === undefined) return section;
  return new JsonReader(module.genesis.defaults(), section.path);
}

/** Text of an application state, as RequestInitChain carries it. */
export function encodeAppState(appState: JsonObject): string {
  return canonicalJson(appState);
}
