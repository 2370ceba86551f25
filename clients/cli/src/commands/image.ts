import { Option, type Command } from 'commander'
import { keyValue, positiveNumber, repeated, wholeNumber } from '../arguments.js'
import type { Image, ImagePatch } from '../cloud/images.js'
import type { CommandContext } from '../context.js'
import { usageError } from '../exit.js'
import { examples } from './help.js'
import { addImageCreate } from './image-create.js'
import { chosenVisibility, userProperties, visibilityOptions, type VisibilityOptions } from './image-options.js'
import { addImageSave } from './image-save.js'
import { imageView } from './image-view.js'
import { Several } from './several.js'

export function addImageCommands(program: Command, context: CommandContext): void {
  const image = program.command('image').description('Disks that servers are made from.')
  addList(image, context)
  addShow(image, context)
  addImageCreate(image, context)
  addImageSave(image, context)
  addSet(image, context)
  addUnset(image, context)
  addDelete(image, context)
}

interface ListOptions extends VisibilityOptions {
  name?: string
  status?: string
  tag?: string
  limit?: number
}

function addList(image: Command, context: CommandContext): void {
  const command = image
    .command('list')
    .summary('list images')
    .description('Lists the images that the project may use: its own, public ones and those shared with it.')
  visibilityOptions(command, {
    public: 'only those that everybody may use',
    private: 'only those that nobody else may use',
    shared: 'only those that chosen projects may use',
    community: 'only those that everybody may use and few are shown',
  })
    .option('--name <name>', 'only those of exactly this name')
    .option('--status <status>', 'only those in this state: active, queued ...')
    .option('--tag <tag>', 'only those with this tag')
    .option('--limit <count>', 'no more than so many', positiveNumber)
    .action(async (options: ListOptions) => {
      const { name, status, tag, limit } = options
      const images = await context.images().list({ name, status, tag, visibility: chosenVisibility(options) }, limit)
      context.printList(imageView, images, 'images')
    })
}

function addShow(image: Command, context: CommandContext): void {
  image
    .command('show')
    .summary('show an image')
    .description('Shows all there is to know about an image.')
    .argument('<image>', 'name or id')
    .action(async (wanted: string) => context.printOne(imageView, await context.images().find(wanted)))
}

interface SetOptions extends VisibilityOptions {
  name?: string
  property?: Record<string, string>
  minDisk?: number
  minRam?: number
  protected?: boolean
  unprotected?: boolean
}

function addSet(image: Command, context: CommandContext): void {
  const command = image
    .command('set')
    .summary('change an image')
    .description('Changes what the cloud says of an image. Its data never change.')
    .argument('<image>', 'name or id')
    .option('--name <name>', 'new name')
    .option('--property <key=value>', 'property to add or replace (repeatable)', keyValue)
    .option('--min-disk <gib>', 'least disk of a flavor for it, in GiB', wholeNumber)
    .option('--min-ram <mib>', 'least memory of a flavor for it, in MiB', wholeNumber)
    .addOption(new Option('--protected', 'refuse to delete it').conflicts('unprotected'))
    .option('--unprotected', 'let it be deleted again')
  visibilityOptions(command, {
    public: 'everybody may use it',
    private: 'nobody else may use it',
    shared: 'chosen projects may use it',
    community: 'everybody who knows of it may use it',
  })
  command.action(async (wanted: string, options: SetOptions) => {
    const images = context.images()
    const found = await images.find(wanted)
    const patch = changes(found, options)
    if (patch.length === 0) throw usageError('Nothing to set: give at least one option')
    context.printOne(imageView, await images.update(found.id, patch))
  })
}

function changes(image: Image, options: SetOptions): ImagePatch[] {
  const values: Record<string, unknown> = {
    name: options.name,
    min_disk: options.minDisk,
    min_ram: options.minRam,
    visibility: chosenVisibility(options),
    protected: options.protected ? true : options.unprotected ? false : undefined,
    ...userProperties(options.property),
  }
  return Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ op: key in image ? 'replace' : 'add', path: pointer(key), value }))
}

/** RFC 6901: what stands for '/' and '~' in a path. */
function pointer(key: string): string {
  return `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
}

function addUnset(image: Command, context: CommandContext): void {
  image
    .command('unset')
    .summary('remove properties of an image')
    .description('Removes properties of an image.')
    .argument('<image>', 'name or id')
    .requiredOption('--property <key>', 'property to remove (repeatable)', repeated)
    .action(async (wanted: string, options: { property: string[] }) => {
      const images = context.images()
      const found = await images.find(wanted)
      const patch = options.property.map((key): ImagePatch => ({ op: 'remove', path: pointer(key) }))
      context.printOne(imageView, await images.update(found.id, patch))
    })
}

function addDelete(image: Command, context: CommandContext): void {
  const command = image
    .command('delete')
    .summary('delete images')
    .description('Deletes images. Servers made from them keep running.')
    .argument('<images...>', 'names or ids')
  examples(command, [['nubo image delete old-debian', '']])
  command.action(async (words: string[]) => {
    const images = context.images()
    const several = new Several(context, words.length)
    await several.each(words, async (word) => {
      const { id, name } = await images.find(word)
      await images.delete(id)
      context.note(`deleted ${name} (${id})`)
    })
    several.finish()
  })
}
