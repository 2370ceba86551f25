interface Line {
  time: string
  msg: string
  serverId?: string
  kind?: string
}

/** When the build of one server began and ended on its host, by the machine's clock, in ms since 1970. */
export interface AgentTimes {
  beganMs: number
  endedMs: number
}

/** Reads from an agent's log when it built these servers, in their order. Throws for one that it does not tell of. */
export function readAgentTimes(log: string, serverIds: readonly string[]): AgentTimes[] {
  const began = new Map<string, number>()
  const ended = new Map<string, number>()
  for (const text of log.split('\n')) {
    if (!text.startsWith('{')) continue
    const { time, msg, serverId, kind } = JSON.parse(text) as Line
    if (kind !== 'build' || serverId === undefined) continue
    if (msg === 'command begins') began.set(serverId, Date.parse(time))
    if (msg === 'command ended') ended.set(serverId, Date.parse(time))
  }
  return serverIds.map((id) => {
    const [beganMs, endedMs] = [began.get(id), ended.get(id)]
    if (beganMs === undefined || endedMs === undefined) throw new Error(`the agent's log does not tell of ${id}`)
    return { beganMs, endedMs }
  })
}
