import { CommanderError } from 'commander'
import { CommandContext } from './context.js'
import { CommandError, exitCode } from './exit.js'
import { printable } from './output/text.js'
import { createProgram } from './program.js'
import type { World } from './world.js'

/** Runs one command line, without the program's own name, and resolves with the exit code. */
export async function run(words: readonly string[], world: World): Promise<number> {
  const context = new CommandContext(world)
  try {
    await createProgram(context).parseAsync([...words], { from: 'user' })
    return exitCode.done
  } catch (error) {
    return report(context, error)
  } finally {
    context.close()
  }
}

function report(context: CommandContext, error: unknown): number {
  // commander has printed its own message. Help that was asked for is a success; help for want of a command is not.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage
  const { world } = context
  if (!(error instanceof CommandError)) {
    const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined }
    world.stderr.write(`nubo: this is a mistake in nubo itself: ${printable(message)}; --debug says where\n`)
    if (context.options.debug) world.stderr.write(`${stack}\n`)
    return exitCode.cloudError
  }
  if (context.options.json) world.stderr.write(`${JSON.stringify({ error: asJson(error) })}\n`)
  else world.stderr.write(`nubo: ${printable(error.message)}${reference(error)}\n`)
  return error.code
}

function asJson(error: CommandError): object {
  return { message: error.message, exit_code: error.code, http_status: error.status ?? null, request_id: error.requestId ?? null }
}

/** What an operator needs to find the request. */
function reference({ status, requestId }: CommandError): string {
  const parts = [status === undefined ? undefined : `HTTP ${status}`, requestId].filter((part) => part !== undefined)
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`
}
