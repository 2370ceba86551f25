import type { Command } from 'commander'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Image } from '../cloud/images.js'
import type { CommandContext } from '../context.js'
import { CommandError, exitCode, usageError } from '../exit.js'
import { fileProblem } from '../files.js'
import { startProgress, throttled } from '../output/progress.js'
import { humanBytes } from '../output/text.js'
import { examples } from './help.js'

export function addImageSave(image: Command, context: CommandContext): void {
  const command = image
    .command('save')
    .summary("download an image's data")
    .description("Downloads an image and checks it against the cloud's hash.")
    .argument('<image>', 'name or id')
    .option('--file <file>', 'where to; without it the data go to standard output')
  examples(command, [
    ['nubo image save debian-12 --file debian-12.qcow2', ''],
    ['nubo image save debian-12 | sha512sum', ''],
  ])
  command.action(async (wanted: string, options: { file?: string }) => {
    if (options.file === undefined && context.world.stdout.isTerminal)
      throw usageError('Give --file: an image is not for a terminal')
    await save(context, await context.images().find(wanted), options.file)
  })
}

/** A file appears under its name only when it is whole and checked. */
async function save(context: CommandContext, image: Image, file: string | undefined): Promise<void> {
  const interrupt = new AbortController()
  const stopListening = context.world.onInterrupt(() => interrupt.abort())
  const progress = startProgress(context.world, context.options.quiet || !context.world.stderr.isTerminal)
  const total = typeof image.size === 'number' ? ` of ${humanBytes(image.size)}` : ''
  const partial = file === undefined ? undefined : `${file}.part`
  try {
    const report = (bytes: number) => progress.report(`downloading ${image.name}: ${humanBytes(bytes)}${total}`)
    const bytes = await context.images().download(image, throttled(context.world, report), interrupt.signal)
    if (partial === undefined) await pipeline(bytes, context.world.stdout.stream, { end: false })
    else {
      await pipeline(bytes, createWriteStream(partial))
      await rename(partial, file!)
    }
  } catch (error) {
    // Where there is nothing to remove, the first error is the one that counts.
    if (partial !== undefined) await rm(partial, { force: true }).catch(() => undefined)
    throw interrupt.signal.aborted
      ? new CommandError(exitCode.interrupted, 'Interrupted; nothing was saved')
      : saveFailure(error, file)
  } finally {
    progress.end()
    stopListening()
  }
  if (file !== undefined) context.note(`saved ${image.name} as ${file}`)
}

function saveFailure(error: unknown, file: string | undefined): unknown {
  if (error instanceof CommandError) return error
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'EPIPE') return error
  if (syscall === 'open' || syscall === 'write' || syscall === 'rename')
    return usageError(`Cannot write ${file ?? 'standard output'}: ${fileProblem(error)}`)
  return new CommandError(exitCode.unreachable, `The download broke off: ${(error as Error).message}`, { cause: error })
}
