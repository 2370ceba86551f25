/** Ends what was begun, last first. */
export class Stack implements AsyncDisposable {
  private readonly ends: (() => Promise<unknown>)[] = []

  add<T>(thing: T, end: (thing: T) => Promise<unknown>): T {
    this.ends.push(() => end(thing))
    return thing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.ends.toReversed()) await end()
  }
}
