import type { Command } from 'commander'
import { fenceHost, findHost, inspectHost, listHosts, releaseHost, type Host, type InspectedHost } from '../cloud/hosts.js'
import type { CommandContext } from '../context.js'
import { usageError } from '../exit.js'
import type { Colour } from '../output/style.js'
import type { View } from '../output/view.js'
import { examples } from './help.js'

const colours: Record<string, Colour> = { up: 'green', down: 'red', fenced: 'yellow', quarantined: 'yellow' }

const hostView: View<Host> = [
  { key: 'id', title: 'ID', value: ({ id }) => id, whole: true },
  { key: 'name', title: 'Name', value: ({ name }) => name, listed: true },
  { key: 'state', title: 'State', value: ({ state }) => state, colour: ({ state }) => colours[state], listed: true, whole: true },
  { key: 'why', title: 'Why', value: ({ why }) => why ?? undefined },
  { key: 'what_to_do', title: 'What to do', value: (host) => host.what_to_do ?? undefined },
  { key: 'status', title: 'Status', value: ({ status }) => status, listed: true, whole: true },
  { key: 'disabled_reason', title: 'Disabled because', value: (host) => host.disabled_reason ?? undefined },
  { key: 'address', title: 'Address', value: ({ address }) => address },
  { key: 'fencing_epoch', title: 'Fencing epoch', value: (host) => host.fencing_epoch },
  { key: 'last_heard_at', title: 'Last heard', value: (host) => host.last_heard_at ?? undefined, listed: true, whole: true },
  { key: 'servers', title: 'Servers', value: ({ servers }) => servers, listed: true, right: true },
  { key: 'waiting_steps', title: 'Waiting for it', value: (host) => host.waiting_steps, listed: true, right: true },
  held('tombstones', 'Deleted, to be confirmed', ({ tombstones }) => tombstones),
  held('abandoned', 'Given up, to be removed', ({ abandoned }) => abandoned),
]

const inspectedView: View<InspectedHost> = [
  ...(hostView as View<InspectedHost>),
  { key: 'trouble', title: 'Not asked because', value: ({ trouble }) => trouble ?? undefined },
  {
    key: 'findings',
    title: 'Found on it',
    value: ({ findings }) => findings.map(({ code, message, repair }) => ({ code, message, to_do: repair.how })),
    text: ({ findings }) => findings.map(({ message, repair }) => `${message} ${repair.how}`).join(' ') || '-',
  },
]

function held(key: string, title: string, guestsOf: (host: Host) => Host['tombstones']): View<Host>[number] {
  return {
    key,
    title,
    value: (host) => guestsOf(host).map(({ server_id, incarnation }) => ({ server_id, incarnation })),
    text: (host) =>
      guestsOf(host)
        .map(({ server_id, incarnation }) => `${server_id} (incarnation ${incarnation})`)
        .join(', ') || '-',
  }
}

export function addHostCommands(program: Command, context: CommandContext): void {
  const host = program.command('host').description('Whether hosts take part, and your word on it (administrators).')
  host
    .command('list')
    .summary('list hosts')
    .description('Lists the hosts and what they are: up, down, fenced or quarantined. For administrators.')
    .action(async () => {
      const { hosts, hosts_are_heard } = await listHosts(context.compute())
      context.printList(hostView, hosts, 'hosts')
      if (!hosts_are_heard)
        context.note('Hosts cannot be heard at the moment: Redis, PostgreSQL or every conductor is away. New servers wait.')
    })
  host
    .command('show')
    .summary('show a host')
    .description('Shows what a host is, why, what waits for it, what is found on it, and what to do. For administrators.')
    .argument('<host>', 'name or id')
    .action(async (wanted: string) => {
      const { id } = await findHost(context.compute(), wanted)
      context.printOne(inspectedView, await inspectHost(context.compute(), id))
    })
  addFence(host, context)
  host
    .command('release')
    .summary('let a fenced or quarantined host take part again')
    .description(
      'Ends the fence or the quarantine of a host, once you have seen to its cause. It registers within seconds, removes what was given up meanwhile, and goes on with what it has.',
    )
    .argument('<host>', 'name or id')
    .action(async (wanted: string) => {
      const { id } = await findHost(context.compute(), wanted)
      const { name } = await releaseHost(context.compute(), id)
      context.note(`released ${name}`)
    })
}

function addFence(host: Command, context: CommandContext): void {
  const command = host
    .command('fence')
    .summary('declare a host dead')
    .description(
      'Your word that nothing runs on a host any more: its power is off, or its machine is gone. Its builds go to other hosts, what waits for it is settled, and its servers become ERROR. A host that is only silent may still run its guests.',
    )
    .argument('<host>', 'name or id')
    .option('--yes', 'do not ask')
  examples(command, [
    ['nubo host fence rack-3', 'asks before it does'],
    ['nubo host fence rack-3 --yes', 'for programs that cut its power first'],
  ])
  command.action(async (wanted: string, { yes }: { yes?: boolean }) => {
    const found = await findHost(context.compute(), wanted)
    if (!yes && !(await confirmed(context, found))) return context.note('Nothing was done.')
    const { name } = await fenceHost(context.compute(), found.id)
    context.note(`fenced ${name}`)
  })
}

async function confirmed(context: CommandContext, { name, state, servers }: Host): Promise<boolean> {
  const alive = state === 'up' ? ' It is up at this moment.' : ''
  const question = `Is it certain that nothing runs on ${name} any more?${alive} ${servers === 1 ? 'Its server becomes' : `Its ${servers} servers become`} ERROR. Type its name to fence it: `
  const answer = await context.world.ask(question)
  if (answer === undefined) throw usageError('There is no terminal to ask on: --yes says that you are certain')
  return answer.trim() === name
}
