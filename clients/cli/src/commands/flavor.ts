import { Option, type Command } from 'commander'
import { keyValue, positiveNumber, wholeNumber } from '../arguments.js'
import {
  createFlavor,
  deleteFlavor,
  findFlavor,
  flavorProperties,
  listFlavors,
  setFlavorProperties,
  type Flavor,
} from '../cloud/flavors.js'
import { orElse } from '../cloud/names.js'
import type { CommandContext } from '../context.js'
import type { View } from '../output/view.js'
import { addKeyOption, examples } from './help.js'
import { Several } from './several.js'

const flavorView: View<Flavor> = [
  { key: 'id', title: 'ID', value: (flavor) => flavor.id, listed: true, whole: true },
  { key: 'name', title: 'Name', value: (flavor) => flavor.name, listed: true },
  { key: 'vcpus', title: 'vCPUs', value: (flavor) => flavor.vcpus, listed: true, right: true },
  { key: 'ram_mib', title: 'RAM MiB', value: (flavor) => flavor.ram, listed: true, right: true },
  { key: 'disk_gib', title: 'Disk GiB', value: (flavor) => flavor.disk, listed: true, right: true },
  { key: 'ephemeral_gib', title: 'Ephemeral GiB', value: (flavor) => flavor['OS-FLV-EXT-DATA:ephemeral'], right: true },
  { key: 'swap_mib', title: 'Swap MiB', value: (flavor) => flavor.swap || 0, right: true },
  { key: 'is_public', title: 'Public', value: (flavor) => flavor['os-flavor-access:is_public'], listed: true },
  { key: 'description', title: 'Description', value: (flavor) => flavor.description ?? undefined },
  { key: 'properties', title: 'Properties', value: (flavor) => flavor.extra_specs },
]

export function addFlavorCommands(program: Command, context: CommandContext): void {
  const flavor = program.command('flavor').description('Sizes that servers come in.')
  flavor
    .command('list')
    .summary('list flavors')
    .description('Lists the flavors that the project may use; to administrators all of them.')
    .action(async () => context.printList(flavorView, (await listFlavors(context.compute())).sort(bySize), 'flavors'))
  flavor
    .command('show')
    .summary('show a flavor')
    .description('Shows all there is to know about a flavor.')
    .argument('<flavor>', 'name or id')
    .action(async (wanted: string) => print(context, await findFlavor(context.compute(), wanted)))
  addCreate(flavor, context)
  flavor
    .command('delete')
    .summary('delete flavors (administrators)')
    .description('Deletes flavors. Servers made with them keep their size. For administrators.')
    .argument('<flavors...>', 'names or ids')
    .action(async (words: string[]) => {
      const several = new Several(context, words.length)
      await several.each(words, async (word) => {
        const { id, name } = await findFlavor(context.compute(), word)
        await deleteFlavor(context.compute(), id)
        context.note(`deleted ${name} (${id})`)
      })
      several.finish()
    })
}

/** From small to large, as people look for one. */
function bySize(left: Flavor, right: Flavor): number {
  return left.ram - right.ram || left.vcpus - right.vcpus || left.disk - right.disk || left.name.localeCompare(right.name)
}

interface CreateOptions {
  id?: string
  vcpus: number
  ram: number
  disk: number
  ephemeral: number
  swap: number
  private?: boolean
  description?: string
  property?: Record<string, string>
}

function addCreate(flavor: Command, context: CommandContext): void {
  const command = flavor
    .command('create')
    .summary('make a flavor (administrators)')
    .description('Makes a flavor. For administrators.')
    .argument('<name>', 'name of the flavor')
    .requiredOption('--vcpus <count>', 'virtual processors', positiveNumber)
    .requiredOption('--ram <mib>', 'memory in MiB', positiveNumber)
    .requiredOption('--disk <gib>', 'root disk in GiB', wholeNumber)
    .addOption(new Option('--ephemeral <gib>', 'second disk in GiB').default(0).argParser(wholeNumber))
    .addOption(new Option('--swap <mib>', 'swap disk in MiB').default(0).argParser(wholeNumber))
    .option('--id <id>', 'id to give it, in place of a new one')
    .option('--private', 'only chosen projects may use it')
    .option('--description <text>', 'what it is for')
    .option('--property <key=value>', 'extra spec for the scheduler or the hypervisor (repeatable)', keyValue)
  addKeyOption(command)
  examples(command, [['nubo flavor create small --vcpus 1 --ram 512 --disk 5', '']])
  command.action(async (name: string, options: CreateOptions) => {
    const compute = context.compute()
    const created = await createFlavor(compute, {
      name,
      // The habit of the real client, where 'auto' is the default.
      id: options.id === 'auto' ? undefined : options.id,
      vcpus: options.vcpus,
      ramMiB: options.ram,
      diskGiB: options.disk,
      ephemeralGiB: options.ephemeral,
      swapMiB: options.swap,
      isPublic: !options.private,
      description: options.description,
    })
    if (options.property) await setFlavorProperties(compute, created.id, options.property)
    await print(context, { ...created, extra_specs: { ...created.extra_specs, ...options.property } })
  })
}

async function print(context: CommandContext, flavor: Flavor): Promise<void> {
  const properties = await orElse(flavorProperties(context.compute(), flavor), undefined)
  context.printOne(flavorView, properties ? { ...flavor, extra_specs: properties } : flavor)
}
