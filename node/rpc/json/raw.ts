/** What stands in an answer as text already. */

/** JSON text that is put into an answer as it is. */
export class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
