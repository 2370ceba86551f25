import { Option, type Command } from 'commander'
import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { keyValue, repeated, wholeNumber } from '../arguments.js'
import type { Image, Images } from '../cloud/images.js'
import { orElse } from '../cloud/names.js'
import type { CommandContext } from '../context.js'
import { CommandError, exitCode, usageError } from '../exit.js'
import { fileProblem } from '../files.js'
import { startProgress, throttled } from '../output/progress.js'
import { humanBytes } from '../output/text.js'
import { examples } from './help.js'
import { chosenVisibility, userProperties, visibilityOptions, type VisibilityOptions } from './image-options.js'
import { imageView } from './image-view.js'

interface CreateOptions extends VisibilityOptions {
  file?: string
  diskFormat?: string
  containerFormat: string
  id?: string
  property?: Record<string, string>
  tag?: string[]
  minDisk?: number
  minRam?: number
  protected?: boolean
}

export function addImageCreate(image: Command, context: CommandContext): void {
  const command = image
    .command('create')
    .summary('make an image, and upload it')
    .description('Makes an image from a file. Without --file it stays queued until somebody uploads its data.')
    .argument('<name>', 'name of the image')
    .option('--file <file>', "file to upload; '-' reads standard input")
    .option('--disk-format <format>', "qcow2, raw ... (default: what the file's first bytes say)")
    .addOption(new Option('--container-format <format>', 'what the disk is wrapped in').default('bare'))
    .option('--id <id>', 'id to give it, in place of a new one')
    .option('--property <key=value>', 'property (repeatable)', keyValue)
    .option('--tag <tag>', 'tag (repeatable)', repeated)
    .option('--min-disk <gib>', 'least disk of a flavor for it, in GiB', wholeNumber)
    .option('--min-ram <mib>', 'least memory of a flavor for it, in MiB', wholeNumber)
    .option('--protected', 'refuse to delete it')
  visibilityOptions(command, {
    public: 'everybody may use it (needs a right that members mostly lack)',
    private: 'nobody else may use it',
    shared: 'chosen projects may use it (default of most clouds)',
    community: 'everybody who knows of it may use it',
  })
  examples(command, [
    ['nubo image create debian-12 --file debian-12.qcow2', ''],
    ['xz -dc disk.raw.xz | nubo image create disk --file - --disk-format raw', ''],
  ])
  command.action((name: string, options: CreateOptions) => create(context, name, options))
}

async function create(context: CommandContext, name: string, options: CreateOptions): Promise<void> {
  const source = options.file === undefined ? undefined : openSource(context, options.file)
  const diskFormat = options.diskFormat ?? source?.looksLike
  if (source && !diskFormat) throw usageError('What is read from standard input needs --disk-format')
  const images = context.images()
  const image = await images.create({
    ...userProperties(options.property),
    id: options.id,
    name,
    disk_format: diskFormat,
    container_format: options.containerFormat,
    visibility: chosenVisibility(options),
    tags: options.tag,
    min_disk: options.minDisk,
    min_ram: options.minRam,
    protected: options.protected,
  })
  if (source) await upload(context, images, image, source)
  context.printOne(imageView, await images.get(image.id))
}

interface Source {
  bytes: Readable
  /** Undefined for a pipe, which does not say how long it will be. */
  sizeBytes: number | undefined
  /** The disk format that the first bytes are of; undefined where they cannot be looked at without being used up. */
  looksLike: string | undefined
}

function openSource(context: CommandContext, path: string): Source {
  if (path === '-') {
    if (context.world.stdin.isTTY) throw usageError('--file - reads standard input, which is a terminal here')
    return { bytes: context.world.stdin as Readable, sizeBytes: undefined, looksLike: undefined }
  }
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch (error) {
    throw usageError(`Cannot read the image file ${path}: ${fileProblem(error)}`)
  }
  const status = fstatSync(descriptor)
  if (!status.isFile()) {
    closeSync(descriptor)
    throw usageError(`${path} is not a file`)
  }
  return { bytes: createReadStream(path, { fd: descriptor, start: 0 }), sizeBytes: status.size, looksLike: formatOf(descriptor) }
}

/** By the signature at the start, as `file` does it; what has none is taken for raw, and the cloud looks again anyway. */
function formatOf(descriptor: number): string {
  const start = Buffer.alloc(4)
  readSync(descriptor, start, 0, 4, 0)
  const signature = start.toString('latin1')
  if (signature === 'QFI\u00fb') return 'qcow2'
  if (signature === 'KDMV') return 'vmdk'
  return signature === 'vhdx' ? 'vhdx' : 'raw'
}

/** Uploads, compares what arrived with what was sent, and takes the record away again when the data did not get there. */
async function upload(context: CommandContext, images: Images, image: Image, source: Source): Promise<void> {
  const interrupt = new AbortController()
  const stopListening = context.world.onInterrupt(() => interrupt.abort())
  const progress = startProgress(context.world, context.options.quiet || !context.world.stderr.isTerminal)
  const total = source.sizeBytes === undefined ? '' : ` of ${humanBytes(source.sizeBytes)}`
  try {
    const report = (sentBytes: number) => progress.report(`uploading ${image.name}: ${humanBytes(sentBytes)}${total}`)
    const sent = await images.upload(image.id, source.bytes, source.sizeBytes, throttled(context.world, report), interrupt.signal)
    const { os_hash_algo: algorithm, os_hash_value: stored } = await images.get(image.id)
    if (algorithm === 'sha512' && stored && stored !== sent) {
      throw new CommandError(
        exitCode.cloudError,
        `The cloud stored other bytes than were sent to it: its SHA-512 is ${stored}, not ${sent}`,
      )
    }
  } catch (error) {
    progress.end()
    const removed = await orElse(
      images.delete(image.id).then(() => true),
      false,
    )
    const rest = removed ? 'no image was made' : `an image without data stays behind: ${image.id}`
    if (interrupt.signal.aborted) throw new CommandError(exitCode.interrupted, `Interrupted; ${rest}`)
    if (error instanceof CommandError) throw new CommandError(error.code, `${error.message}; ${rest}`, { ...error })
    throw error
  } finally {
    progress.end()
    stopListening()
  }
}
