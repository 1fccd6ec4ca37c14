/** What toncenter answers with an HTTP status other than 200. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, words: string) {
    super(words);
    this.name = "Refused";
    this.status = status;
  }
}
