import type { Command } from 'commander'
import { floatingIps, networks, ports, type Network } from '../cloud/network-kinds.js'
import { findServer } from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import { CommandError, exitCode, usageError } from '../exit.js'
import { addKeyOption, examples } from './help.js'
import { addCommonCommands, given } from './network-common.js'
import { floatingIpView } from './network-views.js'

interface CreateOptions {
  network?: string
  server?: string
  description?: string
}

export function addFloatingIpCommands(program: Command, context: CommandContext): void {
  const floatingIp = program.command('floating-ip').description('Addresses outside of the cloud that lead to servers.')
  addCommonCommands(floatingIp, context, floatingIps, floatingIpView)
  const create = floatingIp
    .command('create')
    .summary('take an address')
    .description('Takes an address of an external network, and lets it lead to a server.')
    .option('--network <network>', 'external network (name or id; default: the only one)')
    .option('--server <server>', 'server that it leads to (name or id)')
    .option('--description <text>', 'what it is for')
  addKeyOption(create)
  examples(create, [['nubo floating-ip create --server web', '']])
  create.action((options: CreateOptions) => take(context, options))
  floatingIp
    .command('attach')
    .summary('let an address lead to a server')
    .description('Lets a floating IP lead to a server, in place of where it led before.')
    .argument('<floating-ip>', 'address or id')
    .argument('<server>', 'name or id')
    .action(async (wanted: string, server: string) => lead(context, wanted, await portOf(context, server)))
  floatingIp
    .command('detach')
    .summary('let an address lead nowhere')
    .description('Lets a floating IP lead nowhere. It stays the project’s.')
    .argument('<floating-ip>', 'address or id')
    .action((wanted: string) => lead(context, wanted, null))
}

async function take(context: CommandContext, { network, server, description }: CreateOptions): Promise<void> {
  const { id } = network === undefined ? await onlyExternal(context) : await context.networks().find(networks, network)
  const port = server === undefined ? undefined : await portOf(context, server)
  const wanted = { floating_network_id: id, ...given({ port_id: port, description }) }
  context.printOne(floatingIpView, await context.networks().create(floatingIps, wanted))
}

async function lead(context: CommandContext, wanted: string, port: string | null): Promise<void> {
  const { id } = await context.networks().find(floatingIps, wanted)
  context.printOne(floatingIpView, await context.networks().update(floatingIps, id, { port_id: port }))
}

async function onlyExternal(context: CommandContext): Promise<Network> {
  const found = await context.networks().list(networks, { 'router:external': 'true' })
  if (found.length === 0) throw new CommandError(exitCode.notFound, 'This cloud has no external network')
  if (found.length > 1) throw usageError(`Say which with --network: ${found.map(({ name }) => name).join(', ')}`)
  return found[0]!
}

/** A server's first port with an IPv4 address: what a floating IP leads to. */
async function portOf(context: CommandContext, wanted: string): Promise<string> {
  const server = await findServer(context.compute(), wanted)
  const found = await context.networks().list(ports, { device_id: server.id })
  const port = found.find(({ fixed_ips }) => fixed_ips.some(({ ip_address }) => !ip_address.includes(':')))
  if (port) return port.id
  throw new CommandError(exitCode.notFound, `${wanted} has no IPv4 address that a floating IP could lead to`)
}
