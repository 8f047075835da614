/** A decoder of bytes that others send, and how to hold it to its promises. */

/** How inputs are changed. */
export type InputForm = 'protobuf' | 'json' | 'bytes';

/** Writes again what was read; undefined where there is no encoder. */
export type Reencode = (() => Uint8Array) | undefined;

export interface Target {
  readonly name: string;
  readonly form: InputForm;
  /** Valid inputs to begin with. */
  readonly seeds: readonly Uint8Array[];
  /** Longest input that is tried. */
  readonly bytesMax: number;
  /** Reads the bytes, in full, as the node does. */
  readonly read: (bytes: Uint8Array) => Reencode | Promise<Reencode>;
  /** The errors that the decoder documents. */
  readonly documented: (error: unknown) => boolean;
}
