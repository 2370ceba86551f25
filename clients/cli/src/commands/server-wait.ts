import { getServer, type Server } from '../cloud/servers.js'
import { orNothing } from '../cloud/names.js'
import type { CommandContext } from '../context.js'
import { CommandError, exitCode } from '../exit.js'
import { startProgress, type Progress } from '../output/progress.js'
import { humanDuration } from '../output/text.js'

/** Where a server should come to, and how it is called on the way. */
export interface Goal {
  name: string
  /** `undefined` is a server that is gone. */
  reached(server: Server | undefined): boolean
}

const settledIn = (status: string): Goal => ({
  name: status,
  reached: (server) => server?.status === status && !server['OS-EXT-STS:task_state'],
})

export const active = settledIn('ACTIVE')
export const shutOff = settledIn('SHUTOFF')
export const gone: Goal = { name: 'gone', reached: (server) => server === undefined || server.status === 'DELETED' }

export interface Watched {
  id: string
  name: string
  /** The last that was seen; undefined before the first look and after the server is gone. */
  server?: Server | undefined
}

export interface WaitResult {
  done: Watched[]
  /** Those that became ERROR, or vanished while they were waited for. */
  failed: Watched[]
}

const firstPauseMs = 200
const longestPauseMs = 2000
const requestsAtOnce = 8

/**
 * Looks at servers until each has reached its goal or has failed. Throws a timeout (exit code 5) when that takes too long
 * and an interruption (130) on Ctrl-C, both saying that what was asked for goes on. A cloud that cannot be reached for a
 * while is waited for like a slow one.
 */
export async function waitForServers(
  context: CommandContext,
  servers: readonly { id: string; name: string }[],
  goal: Goal,
  waitSeconds: number,
): Promise<WaitResult> {
  const { world } = context
  const watch: Watch = { all: servers.map(({ id, name }) => ({ id, name })), done: [], failed: [] }
  const progress = startProgress(world, context.options.quiet)
  const interrupt = new AbortController()
  const stopListening = world.onInterrupt(() => interrupt.abort())
  const deadlineMs = world.monotonicMs() + waitSeconds * 1000
  try {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.25, longestPauseMs)) {
      await look(context, watch, goal, progress, interrupt.signal)
      if (unsettled(watch).length === 0) return watch
      const leftMs = deadlineMs - world.monotonicMs()
      if (leftMs <= 0) throw notReached(exitCode.timeout, `Not ${goal.name} after ${humanDuration(waitSeconds * 1000)}`, watch)
      await world.sleep(Math.min(pauseMs, leftMs), interrupt.signal)
    }
  } catch (error) {
    if (interrupt.signal.aborted) throw notReached(exitCode.interrupted, 'Stopped waiting', watch)
    throw error
  } finally {
    stopListening()
    progress.end()
  }
}

interface Watch extends WaitResult {
  all: Watched[]
}

function unsettled({ all, done, failed }: Watch): Watched[] {
  return all.filter((watched) => !done.includes(watched) && !failed.includes(watched))
}

async function look(context: CommandContext, watch: Watch, goal: Goal, progress: Progress, signal: AbortSignal): Promise<void> {
  const troubles: string[] = []
  const refresh = async (watched: Watched): Promise<void> => {
    try {
      watched.server = await orNothing(getServer(context.compute(), watched.id, signal))
    } catch (error) {
      troubles.push(transient(error))
      return
    }
    if (goal.reached(watched.server)) watch.done.push(watched)
    else if (hasFailed(watched.server)) watch.failed.push(watched)
  }
  const waiting = unsettled(watch)
  for (let start = 0; start < waiting.length; start += requestsAtOnce) {
    await Promise.all(waiting.slice(start, start + requestsAtOnce).map(refresh))
  }
  progress.report(troubles[0] ?? describe(watch, goal))
}

/** The trouble in words where waiting on makes sense; anything else is thrown. */
function transient(error: unknown): string {
  const passing =
    error instanceof CommandError &&
    (error.code === exitCode.unreachable || error.code === exitCode.timeout || error.status === 429 || (error.status ?? 0) >= 500)
  if (passing) return `${error.message}; still trying`
  throw error
}

/** A server that is gone, or has settled in ERROR: one under work may still say ERROR from before. */
function hasFailed(server: Server | undefined): boolean {
  return server === undefined || (server.status === 'ERROR' && !server['OS-EXT-STS:task_state'])
}

function describe({ all }: Watch, goal: Goal): string {
  if (all.length === 1) return `${all[0]!.name}: ${stateOf(all[0]!, goal)}`
  const counts = new Map<string, number>()
  for (const watched of all) counts.set(stateOf(watched, goal), (counts.get(stateOf(watched, goal)) ?? 0) + 1)
  return `${all.length} servers: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`
}

function stateOf({ server }: Watched, goal: Goal): string {
  if (server === undefined) return goal === gone ? 'gone' : 'unknown'
  const task = server['OS-EXT-STS:task_state']
  return task ? `${server.status} (${task})` : server.status
}

function notReached(code: typeof exitCode.timeout | typeof exitCode.interrupted, what: string, watch: Watch): CommandError {
  const [first, ...others] = unsettled(watch)
  const which = first === undefined ? '' : `: ${first.name} (${first.id}) is ${first.server?.status ?? 'not seen yet'}`
  const more = others.length > 0 ? ` and ${others.length} more` : ''
  return new CommandError(
    code,
    `${what}${which}${more}. The cloud goes on with it; look with: nubo server show ${first?.id ?? 'SERVER'}`,
  )
}

/** Why a server failed, in the cloud's words. */
export function failureOf({ id, name, server }: Watched): CommandError {
  const fault = server?.fault?.message
  const why = server === undefined ? 'was deleted meanwhile' : `is ERROR: ${fault ?? 'the cloud gives no reason'}`
  return new CommandError(exitCode.cloudError, `The server ${name} (${id}) ${why}`)
}
