import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { controlPlaneServices } from '@nubo/deploy/installation'
import type { World } from '../world.js'
import type { Check } from './check.js'

/** Whatever breaks around it, a program of ours lives on, and is there when that is mended: one that crashed lost what it was at. */
export const nothingDiedByItself: Check = {
  name: 'no program of ours ended that was not killed',
  find: async ({ world }) => [...(await servicesThatDied(world)), ...agentsThatDied(world)],
}

async function servicesThatDied(world: World): Promise<string[]> {
  const services = await world.cloud.supervisor.ask({ verb: 'status' })
  return services.flatMap(({ name, unexpectedEnds, lastEnd }) => {
    const deaths = unexpectedEnds - (world.kills.get(name) ?? 0)
    if (deaths <= 0 || !(controlPlaneServices as readonly string[]).includes(name)) return []
    return [`${name} ended ${deaths} times by itself, the last time with ${lastEnd}: see ${name}.log`]
  })
}

/** 137 is kill -9; 0 and 143 are what it ends with when it is asked to. */
const expectedCodes = new Set(['137', '0', '143'])

/** A host's init writes down how its programs ended. */
function agentsThatDied(world: World): string[] {
  return world.hosts.flatMap(({ name, settings }) => {
    const log = join(settings.logDirectory, 'agent.log')
    const text = existsSync(log) ? readFileSync(log, 'utf8') : ''
    const codes = [...text.matchAll(/^host-init: agent ended with code (\d+)$/gm)].map(([, code]) => code!)
    const own = codes.filter((code) => !expectedCodes.has(code))
    return own.length === 0
      ? []
      : [`the agent of ${name} ended ${own.length} times by itself, with ${[...new Set(own)].join(', ')}`]
  })
}
