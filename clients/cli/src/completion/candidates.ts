import type { Command, Option } from 'commander'
import { readCloudsFiles } from '../cloud/clouds-file.js'
import { listFlavors } from '../cloud/flavors.js'
import { listHosts } from '../cloud/hosts.js'
import { listHypervisors } from '../cloud/hypervisors.js'
import { listKeypairs } from '../cloud/keypairs.js'
import { floatingIps, networks, ports, routers, securityGroups, subnets } from '../cloud/network-kinds.js'
import { listServers } from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import { globalOptions } from '../global-options.js'

export interface Candidate {
  word: string
  says?: string
}

/** The shell's own completion of file names. */
const files: Candidate = { word: ':files' }

/** A person waits with a finger on Tab. */
const patienceMs = 3000

/**
 * What may stand in place of the last word of a command line: subcommands, options, or the names of what the cloud has.
 * Never fails: where the cloud cannot be asked in time, there is nothing to offer.
 */
export async function candidates(program: Command, context: CommandContext, words: readonly string[]): Promise<Candidate[]> {
  const unfinished = words.at(-1) ?? ''
  const place = walk(program, words.slice(0, -1))
  const found = await offers(context, program, place, unfinished)
  return found.filter(({ word }) => word === files.word || word.startsWith(unfinished))
}

interface Place {
  command: Command
  /** How many arguments the command has got already. */
  argumentsGiven: number
  /** The option whose value is being typed. */
  option: Option | undefined
}

/** Follows the finished words down the tree of commands, taking in the options that choose the cloud on the way. */
function walk(program: Command, words: readonly string[]): Place {
  const place: Place = { command: program, argumentsGiven: 0, option: undefined }
  for (const word of words) {
    if (place.option) {
      if (program.options.includes(place.option)) program.setOptionValue(place.option.attributeName(), word)
      place.option = undefined
    } else if (word.startsWith('-')) {
      const option = optionsAt(place.command).find(({ long, short }) => word === long || word === short)
      if (option?.required || option?.optional) place.option = option
    } else {
      const child = place.command.commands.find((candidate) => candidate.name() === word || candidate.aliases().includes(word))
      if (child) place.command = child
      else place.argumentsGiven += 1
    }
  }
  return place
}

/** A command's own options and those of the commands above it. */
function optionsAt(command: Command): Option[] {
  return [...command.options, ...(command.parent ? optionsAt(command.parent) : [])].filter((option) => !option.hidden)
}

async function offers(context: CommandContext, program: Command, place: Place, unfinished: string): Promise<Candidate[]> {
  const { command, option } = place
  if (option) return valuesOf(context, program, placeholder(option.flags), option.argChoices)
  if (unfinished.startsWith('-')) return optionsAt(command).map(({ long, description }) => ({ word: long!, says: description }))
  const visible = command.createHelp().visibleCommands(command)
  if (visible.length > 0) return visible.map((child) => ({ word: child.name(), says: child.summary() || child.description() }))
  const declared = command.registeredArguments
  const argument = declared[place.argumentsGiven] ?? (declared.at(-1)?.variadic ? declared.at(-1) : undefined)
  return argument ? valuesOf(context, program, argument.name(), argument.argChoices) : []
}

/** `--image <image>` -> 'image'. */
function placeholder(flags: string): string {
  return /<([^>]+)>/.exec(flags)?.[1] ?? ''
}

type Lookup = (context: CommandContext) => Promise<Candidate[]>

/** What the placeholders of arguments and options stand for. */
const lookups: Record<string, Lookup> = {
  server: async (context) =>
    (await listServers(context.compute())).map(({ id, name, status }) => ({ word: name ?? id, says: status })),
  image: async (context) => (await context.images().list()).map(({ id, name, status }) => ({ word: name ?? id, says: status })),
  flavor: async (context) =>
    (await listFlavors(context.compute())).map(({ name, vcpus, ram }) => ({ word: name, says: `${vcpus} vCPU, ${ram} MiB` })),
  keypair: async (context) =>
    (await listKeypairs(context.compute())).map(({ name, fingerprint }) => ({ word: name, says: fingerprint })),
  host: async (context) => (await listHosts(context.compute())).hosts.map(({ name, state }) => ({ word: name, says: state })),
  hypervisor: async (context) =>
    (await listHypervisors(context.compute())).map(({ hypervisor_hostname, state }) => ({
      word: hypervisor_hostname,
      says: state,
    })),
  cloud: async (context) => Object.keys(readCloudsFiles(context.world).clouds).map((word) => ({ word })),
  network: async (context) => [
    ...[{ word: 'auto' }, { word: 'none' }],
    ...(await context.networks().list(networks)).map(({ name, id }) => ({ word: name || id })),
  ],
  subnet: async (context) =>
    (await context.networks().list(subnets)).map(({ name, id, cidr }) => ({ word: name || id, says: cidr })),
  port: async (context) =>
    (await context.networks().list(ports)).map(({ name, id, mac_address }) => ({ word: name || id, says: mac_address })),
  router: async (context) => (await context.networks().list(routers)).map(({ name, id }) => ({ word: name || id })),
  'floating-ip': async (context) =>
    (await context.networks().list(floatingIps)).map(({ floating_ip_address, fixed_ip_address }) => ({
      word: floating_ip_address,
      says: fixed_ip_address ?? 'free',
    })),
  'security-group': async (context) =>
    (await context.networks().list(securityGroups)).map(({ name, id }) => ({ word: name || id })),

  status: async () => ['ACTIVE', 'BUILD', 'ERROR', 'SHUTOFF'].map((word) => ({ word })),
  interface: async () => ['public', 'internal', 'admin'].map((word) => ({ word })),
  file: async () => [files],
}

async function valuesOf(
  context: CommandContext,
  program: Command,
  name: string,
  choices: readonly string[] | undefined,
): Promise<Candidate[]> {
  if (choices) return choices.map((word) => ({ word }))
  const lookup = lookups[name] ?? lookups[name.replace(/s$/, '')]
  if (!lookup) return []
  context.options = { ...globalOptions(program), quiet: true }
  const enough = new AbortController()
  try {
    return await Promise.race([lookup(context), context.world.sleep(patienceMs, enough.signal).then(() => [])])
  } catch {
    return []
  } finally {
    enough.abort()
  }
}
