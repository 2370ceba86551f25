import type { Command } from 'commander'
import { positiveNumber } from '../arguments.js'
import { consoleLog, findServer } from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import { withoutTerminalCommands } from '../output/text.js'
import { examples } from './help.js'

export interface ConsoleLogOptions {
  lines?: number
  follow?: boolean
}

export function addConsoleCommands(program: Command, context: CommandContext): void {
  const log = program
    .command('console')
    .description('What servers write on their consoles.')
    .command('log')
    .description('The console log of a server.')
  const show = log
    .command('show')
    .summary("show a server's console")
    .description('Prints what a server wrote on its serial console, as far as the cloud keeps it.')
    .argument('<server>', 'name or id')
  addConsoleLogOptions(show)
  examples(show, [
    ['nubo console log show web --lines 20', 'the end of it'],
    ['nubo console log show web --follow', 'watch it boot'],
  ])
  show.action((wanted: string, options: ConsoleLogOptions) => showConsoleLog(context, wanted, options))
}

export function addConsoleLogOptions(command: Command): Command {
  return command
    .option('-n, --lines <count>', 'only the last lines', positiveNumber)
    .option('-f, --follow', 'go on printing what is added, until Ctrl-C')
}

const lookEveryMs = 1000

export async function showConsoleLog(context: CommandContext, wanted: string, options: ConsoleLogOptions): Promise<void> {
  const compute = context.compute()
  const { id } = await findServer(compute, wanted)
  let before = await consoleLog(compute, id, options.lines)
  if (context.options.json) return context.printJson({ server_id: id, output: before })
  if (before === '' && !options.follow) context.note('The console is empty.')
  printLog(context, before)
  if (!options.follow) return
  const interrupt = new AbortController()
  const stopListening = context.world.onInterrupt(() => interrupt.abort())
  try {
    for (;;) {
      await context.world.sleep(lookEveryMs, interrupt.signal)
      const now = await consoleLog(compute, id, undefined, interrupt.signal)
      printLog(context, added(before, now))
      before = now
    }
  } catch (error) {
    // Ctrl-C is how following ends.
    if (!interrupt.signal.aborted) throw error
  } finally {
    stopListening()
  }
}

/** Guests may write anything, escape sequences for the terminal too: those are obeyed only where they colour. */
function printLog(context: CommandContext, text: string): void {
  context.print(context.world.stdout.isTerminal ? withoutTerminalCommands(text) : text)
}

const recognised = 2000

/** What came to a log since it was last read, where its beginning may have been dropped meanwhile. */
export function added(before: string, now: string): string {
  if (before === '') return now
  const tail = before.slice(-recognised)
  const at = now.lastIndexOf(tail)
  return at < 0 ? now : now.slice(at + tail.length)
}
