import type { CommandContext } from '../context.js'
import { CommandError, exitCode, type ExitCode } from '../exit.js'

/**
 * Does `deed` for each thing that the command line names, the later ones too when an earlier one fails, and resolves with
 * what worked. `finish` says at the end how many did not.
 */
export class Several {
  private readonly failures: CommandError[] = []

  constructor(
    private readonly context: CommandContext,
    private readonly total: number,
  ) {}

  async each<Item, Result>(items: readonly Item[], deed: (item: Item) => Promise<Result>): Promise<Result[]> {
    const results: Result[] = []
    for (const item of items) {
      try {
        results.push(await deed(item))
      } catch (error) {
        this.fail(error)
      }
    }
    return results
  }

  fail(error: unknown): void {
    // With a single thing the error is the command's own; a mistake of this program ends everything at once.
    if (this.total === 1 || !(error instanceof CommandError) || error.code === exitCode.interrupted) throw error
    this.context.note(`error: ${error.message}`)
    this.failures.push(error)
  }

  finish(): void {
    if (this.failures.length === 0) return
    const codes = new Set(this.failures.map((failure) => failure.code))
    const code: ExitCode = codes.size === 1 ? this.failures[0]!.code : exitCode.cloudError
    throw new CommandError(code, `${this.failures.length} of ${this.total} failed`)
  }
}
