/** As many as a conductor takes from one host before it is another's turn. */
const mostMessages = 64
/** Redis takes no value of more than 1 MiB from anybody (deploy's configuration). */
const mostCharacters = 400_000

/** Takes from the front what makes one batch: at least one message, however long. */
export function takeBatch<T extends { text: string }>(waiting: T[]): T[] {
  let count = 0
  let characters = 0
  while (count < Math.min(waiting.length, mostMessages)) {
    characters += waiting[count]!.text.length
    if (count > 0 && characters > mostCharacters) break
    count++
  }
  return waiting.splice(0, count)
}

/** One message a line: none holds a line feed, as JSON writes those within its strings as `\n`. */
export const writeBatch = (messages: readonly { text: string }[]) => messages.map(({ text }) => text).join('\n')

/** What is more than a batch may hold is left out. */
export const readBatch = (text: string) => text.split('\n', mostMessages)
