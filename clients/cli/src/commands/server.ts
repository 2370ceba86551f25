import { Option, type Command } from 'commander'
import { keyValue, positiveNumber, repeated } from '../arguments.js'
import { findFlavor } from '../cloud/flavors.js'
import { getPlacement } from '../cloud/placement.js'
import {
  deleteServerMetadata,
  findServer,
  getServer,
  listServerEvents,
  listServers,
  setServerMetadata,
  updateServer,
  type ServerEvent,
} from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import { usageError } from '../exit.js'
import { printable } from '../output/text.js'
import type { Json, View } from '../output/view.js'
import { addConsoleLogOptions, showConsoleLog, type ConsoleLogOptions } from './console.js'
import { examples } from './help.js'
import { addServerActions } from './server-actions.js'
import { addServerCreate } from './server-create.js'
import { serverView, withNames } from './server-view.js'

export function addServerCommands(program: Command, context: CommandContext): void {
  const server = program.command('server').description('Virtual machines.')
  addList(server, context)
  addShow(server, context)
  addServerCreate(server, context)
  addServerActions(server, context)
  addSet(server, context)
  addUnset(server, context)
  addExplain(server, context)
  addLog(server, context)
  addEvents(server, context)
}

interface ListOptions {
  name?: string
  status?: string
  image?: string
  flavor?: string
  host?: string
  allProjects?: boolean
  limit?: number
}

function addList(server: Command, context: CommandContext): void {
  const command = server
    .command('list')
    .summary('list servers')
    .description("Lists the project's servers, newest first.")
    .option('--name <pattern>', 'only those whose name matches this regular expression')
    .option('--status <status>', 'only those in this state: ACTIVE, SHUTOFF, ERROR, BUILD ...')
    .option('--image <image>', 'only those made from this image (name or id)')
    .option('--flavor <flavor>', 'only those of this flavor (name or id)')
    .option('--host <host>', 'only those on this host (administrators)')
    .option('--all-projects', 'those of all projects (administrators)')
    .option('--limit <count>', 'no more than so many', positiveNumber)
  examples(command, [
    ['nubo server list', ''],
    ['nubo server list --status ERROR --columns id,name,fault', ''],
    ["nubo server list --json | jq -r '.[].name'", ''],
  ])
  command.action(async (options: ListOptions) => {
    const compute = context.compute()
    const image = options.image === undefined ? undefined : (await context.images().find(options.image)).id
    const flavor = options.flavor === undefined ? undefined : (await findFlavor(compute, options.flavor)).id
    const servers = await listServers(
      compute,
      { ...options, status: options.status?.toUpperCase(), image, flavor },
      options.limit,
    )
    context.printList(serverView, await withNames(context, servers), 'servers')
  })
}

async function print(context: CommandContext, id: string): Promise<void> {
  const [row] = await withNames(context, [await getServer(context.compute(), id)])
  context.printOne(serverView, row!)
}

function addShow(server: Command, context: CommandContext): void {
  server
    .command('show')
    .summary('show a server')
    .description('Shows all there is to know about a server.')
    .argument('<server>', 'name or id')
    .action(async (wanted: string) => print(context, (await findServer(context.compute(), wanted)).id))
}

function addSet(server: Command, context: CommandContext): void {
  const command = server
    .command('set')
    .summary('rename a server, set its properties')
    .description("Changes a server's name, description or properties.")
    .argument('<server>', 'name or id')
    .option('--name <name>', 'new name')
    .option('--description <text>', 'new description')
    .option('--property <key=value>', 'property to add or replace (repeatable)', keyValue)
  examples(command, [['nubo server set web --name web-old --property role=retired', '']])
  command.action(async (wanted: string, options: { name?: string; description?: string; property?: Record<string, string> }) => {
    const { property, ...changes } = options
    if (!property && Object.keys(changes).length === 0)
      throw usageError('Nothing to set: give --name, --description or --property')
    const compute = context.compute()
    const { id } = await findServer(compute, wanted)
    if (property) await setServerMetadata(compute, id, property)
    if (Object.keys(changes).length > 0) await updateServer(compute, id, changes)
    await print(context, id)
  })
}

function addUnset(server: Command, context: CommandContext): void {
  server
    .command('unset')
    .summary('remove properties of a server')
    .description('Removes properties of a server.')
    .argument('<server>', 'name or id')
    .requiredOption('--property <key>', 'property to remove (repeatable)', repeated)
    .action(async (wanted: string, options: { property: string[] }) => {
      const compute = context.compute()
      const { id } = await findServer(compute, wanted)
      for (const key of options.property) await deleteServerMetadata(compute, id, key)
      await print(context, id)
    })
}

function addExplain(server: Command, context: CommandContext): void {
  const command = server
    .command('explain')
    .summary('say why a server is where it is')
    .description(
      'Tells how the scheduler decided: which hosts it looked at, which rules refused how many, and why it took the one it took. Nubo clouds only.',
    )
    .argument('<server>', 'name or id')
  examples(command, [
    ['nubo server explain web', ''],
    ['nubo server explain web --json', 'every host and number that was kept'],
  ])
  command.action(async (wanted: string) => {
    const compute = context.compute()
    const placement = await getPlacement(compute, (await findServer(compute, wanted)).id)
    if (context.options.json) return context.printJson(placement as Json)
    const lines = placement.lines ?? [placement.message ?? placement.outcome]
    context.print(lines.map((line) => `${printable(line)}\n`).join(''))
  })
}

function addLog(server: Command, context: CommandContext): void {
  const command = server
    .command('log')
    .summary("show a server's console")
    .description('The same as: nubo console log show')
    .argument('<server>', 'name or id')
  addConsoleLogOptions(command).action((wanted: string, options: ConsoleLogOptions) => showConsoleLog(context, wanted, options))
}

const eventView: View<ServerEvent> = [
  { key: 'request_id', title: 'Request', value: (event) => event.request_id, listed: true, whole: true },
  { key: 'action', title: 'Action', value: (event) => event.action, listed: true },
  { key: 'start_time', title: 'Started', value: (event) => event.start_time, listed: true, whole: true },
  { key: 'message', title: 'Message', value: (event) => event.message ?? undefined, listed: true },
  { key: 'updated_at', title: 'Updated', value: (event) => event.updated_at },
  { key: 'user_id', title: 'User', value: (event) => event.user_id },
]

function addEvents(server: Command, context: CommandContext): void {
  const event = server.command('event').description('What was done to a server, and what it did itself.')
  event
    .command('list')
    .summary("list a server's events")
    .description('Lists what was done to a server, newest first: by whom, when, and with what result.')
    .argument('<server>', 'name or id')
    .addOption(new Option('--limit <count>', 'no more than so many').argParser(positiveNumber))
    .action(async (wanted: string, options: { limit?: number }) => {
      const compute = context.compute()
      const events = await listServerEvents(compute, (await findServer(compute, wanted)).id)
      context.printList(eventView, events.slice(0, options.limit), 'events')
    })
}
