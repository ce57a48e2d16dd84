/** What a handler returns to answer a text of another type than JSON. */
export class PlainText {
  constructor(
    readonly text: string,
    /** The header Content-Type. */
    readonly contentType: string,
  ) {}
}
