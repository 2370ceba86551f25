import type { Command } from 'commander'
import { positiveNumber, repeated } from '../arguments.js'
import { networks, subnets } from '../cloud/network-kinds.js'
import { traceNetwork } from '../cloud/network-trace.js'
import { findServer } from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import { usageError } from '../exit.js'
import { printable } from '../output/text.js'
import type { Json } from '../output/view.js'
import { addKeyOption, examples } from './help.js'
import { addCommonCommands, given } from './network-common.js'
import { networkView, subnetView } from './network-views.js'

export function addNetworkCommands(program: Command, context: CommandContext): void {
  const network = program.command('network').description('Networks that connect servers.')
  addCommonCommands(network, context, networks, networkView)
  addNetworkCreate(network, context)
  addTrace(network, context)
  const subnet = program.command('subnet').description('Addresses of a network.')
  addCommonCommands(subnet, context, subnets, subnetView)
  addSubnetCreate(subnet, context)
}

interface NetworkOptions {
  cidr?: string
  mtu?: number
  description?: string
  external?: boolean
  share?: boolean
  portSecurity: boolean
}

function addNetworkCreate(network: Command, context: CommandContext): void {
  const command = network
    .command('create')
    .summary('make a network')
    .description('Makes a network; with --cidr its first subnet too, whose guests get their addresses by DHCP.')
    .argument('<name>', 'name of the network')
    .option('--cidr <prefix>', 'addresses of a first subnet, such as 10.0.0.0/24')
    .option('--mtu <bytes>', 'the largest packet (default: the most that the cloud carries)', positiveNumber)
    .option('--description <text>', 'what it is for')
    .option('--external', 'it leads outside of the cloud (administrators)')
    .option('--share', 'every project may use it (administrators)')
    .option('--no-port-security', 'let its guests send as whoever they like, and hear everything')
  addKeyOption(command)
  examples(command, [
    ['nubo network create inside --cidr 10.0.0.0/24', ''],
    ['nubo server create web --network inside --image debian-12 --flavor small', ''],
  ])
  command.action(async (name: string, options: NetworkOptions) => {
    if (options.cidr !== undefined && context.options.idempotencyKey !== undefined)
      throw usageError('--idempotency-key names one thing: make the subnet by a command of its own')
    const service = context.networks()
    const made = await service.create(networks, {
      name,
      ...given({
        mtu: options.mtu,
        description: options.description,
        'router:external': options.external,
        shared: options.share,
        port_security_enabled: options.portSecurity ? undefined : false,
      }),
    })
    if (options.cidr === undefined) return context.printOne(networkView, made)
    const wanted = { name, network_id: made.id, cidr: options.cidr, ip_version: versionOf(options.cidr) }
    await service.create(subnets, wanted)
    context.printOne(networkView, await service.find(networks, made.id))
  })
}

function addTrace(network: Command, context: CommandContext): void {
  const command = network
    .command('trace')
    .summary('say what becomes of a packet')
    .description(
      'Tells, hop by hop, which rule lets a packet of a server through or drops it: security groups at both ends, networks, routers, floating IPs. Nubo clouds only.',
    )
    .argument('<server>', 'server that sends it (name or id)')
    .argument('<address>', 'address that it is for')
    .option('--protocol <protocol>', 'tcp, udp, icmp ... or a number (default: tcp with --port, else icmp)')
    .option('--port <port>', 'port that it is for', positiveNumber)
  examples(command, [
    ['nubo network trace web 10.0.0.7 --port 5432', ''],
    ['nubo network trace web 10.0.0.7 --port 5432 --json', 'every hop, with the rule'],
  ])
  command.action(async (wanted: string, address: string, options: { protocol?: string; port?: number }) => {
    const compute = context.compute()
    const traced = await traceNetwork(compute, (await findServer(compute, wanted)).id, { address, ...options })
    if (context.options.json) return context.printJson(traced as Json)
    context.print(traced.lines.map((line) => `${printable(line)}\n`).join(''))
  })
}

interface SubnetOptions {
  network: string
  cidr: string
  gateway?: string
  dhcp: boolean
  dns?: string[]
  ipv6Mode?: string
  description?: string
}

function addSubnetCreate(subnet: Command, context: CommandContext): void {
  const command = subnet
    .command('create')
    .summary('give a network addresses')
    .description('Makes a subnet of a network.')
    .argument('<name>', 'name of the subnet')
    .requiredOption('--network <network>', 'network (name or id)')
    .requiredOption('--cidr <prefix>', 'its addresses, such as 10.0.0.0/24 or fd00::/64')
    .option('--gateway <address>', 'address of the router, or none (default: the first)')
    .option('--no-dhcp', 'guests get their addresses in another way')
    .option('--dns <address>', 'name server for its guests (repeatable)', repeated)
    .option('--ipv6-mode <mode>', 'slaac, dhcpv6-stateful or dhcpv6-stateless')
    .option('--description <text>', 'what it is for')
  addKeyOption(command)
  command.action(async (name: string, options: SubnetOptions) => {
    const { id } = await context.networks().find(networks, options.network)
    const made = await context.networks().create(subnets, {
      ...{ name, network_id: id, cidr: options.cidr, ip_version: versionOf(options.cidr), enable_dhcp: options.dhcp },
      ...given({
        dns_nameservers: options.dns,
        ipv6_ra_mode: options.ipv6Mode,
        ipv6_address_mode: options.ipv6Mode,
        description: options.description,
      }),
      ...(options.gateway === undefined ? {} : { gateway_ip: options.gateway === 'none' ? null : options.gateway }),
    })
    context.printOne(subnetView, made)
  })
}

const versionOf = (cidr: string) => (cidr.includes(':') ? 6 : 4)
