import { Option, type Command } from 'commander'
import { securityGroupRules, securityGroups } from '../cloud/network-kinds.js'
import type { NetworkKind } from '../cloud/network-service.js'
import type { CommandContext } from '../context.js'
import { usageError } from '../exit.js'
import { addKeyOption, examples } from './help.js'
import { addCommonCommands, given } from './network-common.js'
import { ruleView, securityGroupView } from './network-views.js'

export function addSecurityGroupCommands(program: Command, context: CommandContext): void {
  const group = program.command('security-group').description('What may reach servers, and what they may reach.')
  addCommonCommands(group, context, securityGroups, securityGroupView)
  const create = group
    .command('create')
    .summary('make a security group')
    .description('Makes a group. Its servers may send anything; nothing new reaches them until a rule lets it.')
    .argument('<name>', 'name of the group')
    .option('--description <text>', 'what it is for')
  addKeyOption(create).action(async (name: string, options: { description?: string }) =>
    context.printOne(securityGroupView, await context.networks().create(securityGroups, { name, ...given({ ...options }) })),
  )
  addRules(group, context)
}

interface RuleOptions {
  protocol?: string
  ports?: { min: number; max: number }
  from?: string
  to?: string
  fromGroup?: string
  ipv6?: boolean
  description?: string
}

function addRules(group: Command, context: CommandContext): void {
  const rule = group.command('rule').description('What a group lets pass.')
  rule
    .command('list')
    .summary('list the rules of a group')
    .description('Lists what a group lets pass.')
    .argument('<group>', 'name or id')
    .action(async (wanted: string) => {
      const { id } = await context.networks().find(securityGroups, wanted)
      const rules = await context.networks().list(securityGroupRules, { security_group_id: id })
      context.printList(ruleView, rules, 'rules')
    })
  const create = rule
    .command('create')
    .summary('let something pass')
    .description('Lets something pass to the servers of a group; with --to, from them. It takes effect on servers that run.')
    .argument('<group>', 'name or id')
    .option('--protocol <protocol>', 'tcp, udp, icmp ... or a number (default: any)')
    .addOption(new Option('--ports <ports>', 'a port, or the first and the last: 22, 8000-8080').argParser(portRange))
    .addOption(new Option('--from <prefix>', 'from these addresses (default: anywhere)').conflicts(['to', 'fromGroup']))
    .addOption(new Option('--from-group <group>', 'from the servers of this group (name or id)').conflicts('to'))
    .option('--to <prefix>', 'what leaves, to these addresses')
    .option('--ipv6', 'for IPv6 (default: as the addresses are, else IPv4)')
    .option('--description <text>', 'what it is for')
  addKeyOption(create)
  examples(create, [
    ['nubo security-group rule create web --protocol tcp --ports 443', ''],
    ['nubo security-group rule create db --protocol tcp --ports 5432 --from-group web', ''],
  ])
  create.action((wanted: string, options: RuleOptions) => addRule(context, wanted, options))
  rule
    .command('delete')
    .summary('let it pass no more')
    .description('Removes a rule. It takes effect on servers that run.')
    .argument('<id>', 'id of the rule')
    .action(async (id: string) => {
      await context.networks().remove(securityGroupRules as NetworkKind<never>, id)
      context.note(`deleted ${id}`)
    })
}

async function addRule(context: CommandContext, wanted: string, options: RuleOptions): Promise<void> {
  const service = context.networks()
  const { id } = await service.find(securityGroups, wanted)
  const remoteGroup = options.fromGroup === undefined ? undefined : await service.find(securityGroups, options.fromGroup)
  const prefix = options.to ?? options.from
  const made = await service.create(securityGroupRules, {
    security_group_id: id,
    direction: options.to === undefined ? 'ingress' : 'egress',
    ethertype: (options.ipv6 ?? prefix?.includes(':')) ? 'IPv6' : 'IPv4',
    ...given({
      protocol: options.protocol,
      port_range_min: options.ports?.min,
      port_range_max: options.ports?.max,
      remote_ip_prefix: prefix,
      remote_group_id: remoteGroup?.id,
      description: options.description,
    }),
  })
  context.printOne(ruleView, made)
}

function portRange(word: string): { min: number; max: number } {
  const [, min, max = min] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(word) ?? []
  if (min === undefined || Number(min) > Number(max)) throw usageError(`--ports takes 22 or 8000-8080, not '${word}'`)
  return { min: Number(min), max: Number(max) }
}
