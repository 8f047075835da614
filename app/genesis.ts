import { EMPTY_BYTES, fromUtf8, toHex } from '../core/bytes.ts';
import { canonicalJson, type JsonObject, JsonReader, type JsonValue, parseJson } from '../framework/json.ts';
import type { Context, ReadContext } from '../framework/context.ts';
import { StateError, sdkErrors } from '../framework/errors.ts';
import type { Module } from '../framework/module.ts';
import type { ValidatorUpdate } from '../proto/gen/tendermint/abci/types.ts';
import { isForeignSection, requireNothingForeign } from './foreign-sections.ts';

/** Where module sections stand in a genesis document. */
export const APP_STATE = 'app_state';

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
    if (module === undefined && isForeignSection(name)) requireNothingForeign(name, root.member(name));
    // The SDK writes `"consensus": null` for modules without a section.
    else if (module === undefined || (module.genesis === undefined && section !== null))
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

/**
 * The first validator set: the one that modules give, or else the document's. When both give one they must
 * be the same.
 * @throws StateError (sdk 18) naming the first difference
 */
export function firstValidators(
  listed: readonly ValidatorUpdate[],
  given: readonly ValidatorUpdate[],
): readonly ValidatorUpdate[] {
  if (given.length === 0) return listed;
  if (listed.length === 0) return given;
  const powers = new Map(given.map(({ pubKey, power }) => [keyText(pubKey), power]));
  for (const { pubKey, power } of listed) {
    const key = keyText(pubKey);
    const expected = powers.get(key);
    if (expected !== power)
      throw new StateError(
        sdkErrors.invalidRequest,
        `the document's validators are not those of app_state.staking: ${key} has power ${power} in the ` +
          `document and ${expected ?? 'none'} in staking`,
      );
  }
  if (listed.length !== given.length)
    throw new StateError(
      sdkErrors.invalidRequest,
      `the document lists ${listed.length} validators, app_state.staking gives ${given.length}`,
    );
  return given;
}

function keyText({ ed25519, secp256k1 }: ValidatorUpdate['pubKey']): string {
  return ed25519 === undefined ? `secp256k1/${toHex(secp256k1 ?? EMPTY_BYTES)}` : `ed25519/${toHex(ed25519)}`;
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

/** The sections in such a text. @throws JsonError when it is no JSON object */
export function parseAppState(bytes: Uint8Array): JsonObject {
  return new JsonReader(parseJson(fromUtf8(bytes), APP_STATE), APP_STATE).object();
}
