import type { Command } from 'commander'
import { deleteServer, findServer, serverAction } from '../cloud/servers.js'
import type { CommandContext } from '../context.js'
import { examples, waitOptions, type WaitOptions } from './help.js'
import { active, failureOf, gone, shutOff, waitForServers, type Goal } from './server-wait.js'
import { Several } from './several.js'

interface Action<Options> {
  /** What is sent for one server. */
  send(id: string, options: Options): Promise<void>
  goal: Goal
  /** The word for the person when it was asked for and not waited for: 'stopping'. */
  doing: string
  /** The word when it is done: 'stopped'. */
  done: string
}

export function addServerActions(server: Command, context: CommandContext): void {
  const act = (action: string, argument: unknown, doing: string) => (id: string) =>
    serverAction(context.compute(), id, action, argument, doing)

  const start = command(server, 'start', 'start servers', 'Starts servers that are shut off.', 'they are ACTIVE')
  run(context, start, { send: act('os-start', null, 'Starting the server'), goal: active, doing: 'starting', done: 'started' })

  const stop = command(
    server,
    'stop',
    'stop servers',
    'Asks servers to shut down, and switches off those that do not in time.',
    'they are SHUTOFF',
  )
  run(context, stop, { send: act('os-stop', null, 'Stopping the server'), goal: shutOff, doing: 'stopping', done: 'stopped' })

  const reboot = command(
    server,
    'reboot',
    'reboot servers',
    'Reboots servers, by asking the guest unless --hard is given.',
    'they are ACTIVE again',
  )
    .option('--soft', 'ask the guest to reboot (default)')
    .option('--hard', 'switch off and on again')
  run<{ hard?: boolean } & WaitOptions>(context, reboot, {
    send: (id, { hard }) => act('reboot', { type: hard ? 'HARD' : 'SOFT' }, 'Rebooting the server')(id),
    goal: active,
    doing: 'rebooting',
    done: 'rebooted',
  })

  const remove = command(server, 'delete', 'delete servers', 'Deletes servers, with their disks.', 'they are gone')
  examples(remove, [
    ['nubo server delete web worker-1 worker-2 --wait', ''],
    ['nubo server delete $(nubo server list --status ERROR --quiet)', 'all that failed'],
  ])
  run(context, remove, { send: (id) => deleteServer(context.compute(), id), goal: gone, doing: 'deleting', done: 'deleted' })
}

function command(server: Command, name: string, summary: string, description: string, goal: string): Command {
  const made = server.command(name).summary(summary).description(description).argument('<servers...>', 'names or ids')
  return waitOptions(made, goal)
}

function run<Options extends WaitOptions>(context: CommandContext, on: Command, action: Action<Options>): void {
  on.action(async (words: string[], options: Options) => {
    const several = new Several(context, words.length)
    const asked = await several.each(words, async (word) => {
      const { id, name } = await findServer(context.compute(), word)
      await action.send(id, options)
      if (!options.wait) context.note(`${action.doing} ${name} (${id})`)
      return { id, name: name ?? id }
    })
    if (options.wait && asked.length > 0) {
      const { done, failed } = await waitForServers(context, asked, action.goal, options.timeout)
      for (const { id, name } of done) context.note(`${action.done} ${name} (${id})`)
      for (const one of failed) several.fail(failureOf(one))
    }
    several.finish()
  })
}
