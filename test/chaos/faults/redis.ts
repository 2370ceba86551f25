import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { signal, startRedis } from '@nubo/deploy/installation'
import type { World } from '../world.js'
import type { Fault } from './fault.js'
import { pause } from './pause.js'

const targets = ['redis']

export const killRedis: Fault = {
  name: 'kill Redis',
  targets,
  weight: 2,
  async inject(world) {
    return { did: (await world.kill('redis')) ? 'redis killed, with its data kept' : 'redis was down already' }
  },
}

export const emptyRedis: Fault = {
  name: 'empty Redis',
  targets,
  weight: 3,
  async inject(world) {
    const process = await world.process('redis')
    if (!process) return { did: 'redis was down already' }
    // Stopped first, so that it writes nothing between the removal of its data and its end.
    signal(process, 'SIGSTOP')
    removeData(world)
    signal(process, 'SIGKILL')
    return { did: 'redis killed, with its data lost' }
  },
}

export const redisAway: Fault = {
  name: 'Redis away',
  targets,
  weight: 2,
  lastsMs: [10_000, 120_000],
  async inject(world) {
    const { cloud } = world
    await cloud.supervisor.ask({ verb: 'stop', name: 'redis' })
    return { did: 'redis stopped', heal: () => startRedis(cloud, cloud.supervisor) }
  },
}

export const pauseRedis: Fault = {
  name: 'pause Redis',
  targets,
  weight: 1,
  lastsMs: [5_000, 60_000],
  inject: async (world) => pause('redis', await world.process('redis')),
}

function removeData(world: World): void {
  const data = join(world.cloud.folder.folder('redis'), 'data')
  for (const name of readdirSync(data)) rmSync(join(data, name), { recursive: true, force: true })
}
