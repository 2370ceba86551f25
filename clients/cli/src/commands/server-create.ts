import type { Command } from 'commander'
import { keyValue, positiveNumber, repeated } from '../arguments.js'
import { findFlavor } from '../cloud/flavors.js'
import { findNetworkId } from '../cloud/networks.js'
import { createServers, getServer, listServers, type NewServer, type Server } from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import { CommandError, exitCode, usageError } from '../exit.js'
import { readNamedFile } from '../files.js'
import { addKeyOption, examples, waitOptions, type WaitOptions } from './help.js'
import { serverView, withNames } from './server-view.js'
import { active, failureOf, waitForServers } from './server-wait.js'
import { Several } from './several.js'

interface CreateOptions extends WaitOptions {
  image: string
  flavor: string
  keyName?: string
  property?: Record<string, string>
  userData?: string
  configDrive?: boolean
  network?: string[]
  description?: string
  availabilityZone?: string
  tag?: string[]
  hint?: Record<string, string>
  min?: number
  max?: number
}

export function addServerCreate(server: Command, context: CommandContext): void {
  const command = server
    .command('create')
    .summary('make a server, or several')
    .description(
      'Makes a server from an image, in the size of a flavor, and prints it. The cloud answers at once and builds afterwards: --wait waits for that.',
    )
    .argument('<name>', 'name of the server; with --max, of each with -1, -2 ... behind it')
    .requiredOption('--image <image>', 'image to boot from (name or id)')
    .requiredOption('--flavor <flavor>', 'flavor that says how big it is (name or id)')
    .option('--key-name <keypair>', 'key pair that may log in')
    .option('--network <network>', 'network to connect to (name or id, repeatable), or auto, or none (default: auto)', repeated)
    .option('--user-data <file>', 'script or cloud-config that the guest runs at its first boot')
    .option('--config-drive', 'give the guest its data on a drive too')
    .option('--no-config-drive', 'leave the drive out')
    .option('--property <key=value>', 'property of the server, which the guest can read (repeatable)', keyValue)
    .option('--description <text>', 'what the server is for')
    .option('--tag <tag>', 'tag (repeatable)', repeated)
    .option('--availability-zone <zone>', 'part of the cloud to build it in')
    .option('--hint <key=value>', 'hint to the scheduler (repeatable)', keyValue)
    .option('--min <count>', 'make at least so many, or none', positiveNumber)
    .option('--max <count>', 'make so many if the quota allows', positiveNumber)
  addKeyOption(command)
  waitOptions(command, 'it is ACTIVE')
  examples(command, [
    ['nubo server create web --image debian-12 --flavor small --key-name me --wait', ''],
    ['nubo server create worker --max 10 --image debian-12 --flavor small --wait', 'ten of them'],
    ['nubo server create web --image debian-12 --flavor small --idempotency-key web-2026', 'run again, it makes no second one'],
    ['id=$(nubo server create web --image debian-12 --flavor small --quiet)', 'for scripts'],
  ])
  command.action((name: string, options: CreateOptions) => create(context, name, options))
}

async function create(context: CommandContext, name: string, options: CreateOptions): Promise<void> {
  const wanted = await newServer(context, name, options)
  const servers = await createSurely(context, wanted)
  if (servers.length < wanted.maxCount) context.note(`The quota allows ${servers.length} of the ${wanted.maxCount} servers.`)
  if (!options.wait) return printCreated(context, servers)
  const watched = servers.map((server) => ({ id: server.id, name: server.name ?? name }))
  const { done, failed } = await waitForServers(context, watched, active, options.timeout)
  await printCreated(
    context,
    [...done, ...failed].flatMap(({ server }) => (server ? [server] : [])),
  )
  const several = new Several(context, watched.length)
  for (const one of failed) several.fail(failureOf(one))
  several.finish()
}

async function newServer(context: CommandContext, name: string, options: CreateOptions): Promise<NewServer> {
  const maxCount = options.max ?? options.min ?? 1
  const minCount = options.min ?? 1
  if (minCount > maxCount) throw usageError(`--min ${minCount} is more than --max ${maxCount}`)
  const userData = options.userData === undefined ? undefined : readNamedFile(options.userData, 'the user data')
  const [image, flavor, networks] = await Promise.all([
    context.images().find(options.image),
    findFlavor(context.compute(), options.flavor),
    chooseNetworks(context, options.network ?? []),
  ])
  return {
    name,
    imageId: image.id,
    flavorId: flavor.id,
    keyName: options.keyName,
    metadata: options.property ?? {},
    userDataBase64: userData?.toString('base64'),
    configDrive: options.configDrive,
    networks,
    description: options.description,
    availabilityZone: options.availabilityZone,
    tags: options.tag ?? [],
    hints: options.hint ?? {},
    minCount,
    maxCount,
  }
}

async function chooseNetworks(context: CommandContext, wanted: string[]): Promise<NewServer['networks']> {
  const [first] = wanted
  if (first === undefined) return 'auto'
  if (first === 'auto' || first === 'none') {
    if (wanted.length > 1) throw usageError(`--network ${first} stands alone`)
    return first
  }
  return Promise.all(wanted.map(async (network) => ({ uuid: await findNetworkId(context.session(), network) })))
}

/** Where the answer was lost, nobody knows whether there are servers now: it is for the person to look. */
async function createSurely(context: CommandContext, wanted: NewServer): Promise<Server[]> {
  // Asked before anything is changed, so that what fails there has changed nothing.
  await context.compute().api()
  const created = await createServers(context.compute(), wanted).catch((error: unknown) => {
    if (!(error instanceof CommandError) || error.status !== undefined || error.code === exitCode.usage) throw error
    const advice = `the cloud may have made it all the same: look with \`nubo server list --name ${wanted.name}\``
    throw new CommandError(error.code, `${error.message}; ${advice}`, { cause: error })
  })
  return read(context, created)
}

async function read(context: CommandContext, created: { id: string } | { reservation: string }): Promise<Server[]> {
  const compute = context.compute()
  if ('id' in created) return [await getServer(compute, created.id)]
  const reserved = await listServers(compute, { reservation: created.reservation })
  if (reserved.length === 0)
    throw new CommandError(
      exitCode.cloudError,
      `The cloud took the request, but lists no servers of the reservation ${created.reservation}`,
    )
  return reserved.sort((left, right) => (left.name ?? '').localeCompare(right.name ?? '', 'en', { numeric: true }))
}

async function printCreated(context: CommandContext, servers: Server[]): Promise<void> {
  const rows = await withNames(context, servers)
  if (rows.length === 1) context.printOne(serverView, rows[0]!)
  else context.printList(serverView, rows, 'servers')
}
