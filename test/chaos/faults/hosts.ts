import { type HostProgram, runOrThrow, signal } from '@nubo/deploy/installation'
import { type Fault, hostNames, type Injected } from './fault.js'
import { pause } from './pause.js'
import type { World } from '../world.js'

const targets = hostNames

export const killAgent = killProgram('agent', 4)
export const killLibvirtd = killProgram('libvirtd', 3)
export const pauseAgent = pauseProgram('agent', 2)
export const pauseLibvirtd = pauseProgram('libvirtd', 2)

/** Everything on the host ends at once; its disks stay. */
export const cutPower: Fault = {
  name: 'cut the power',
  targets,
  weight: 2,
  lastsMs: [1_000, 60_000],
  async inject(world, target) {
    const host = world.host(target)
    await host.cutPower()
    return { did: `${target} lost its power`, heal: () => host.start() }
  },
}

/** Packets vanish: nobody is told that a connection is over. */
export const cutNetwork: Fault = {
  name: 'cut the network',
  targets,
  weight: 3,
  lastsMs: [5_000, 60_000],
  async inject(world, target) {
    const { device } = world.host(target).settings
    await runOrThrow('ip', ['link', 'set', device, 'down'])
    return {
      did: `${target} cut off the network`,
      heal: async () => void (await runOrThrow('ip', ['link', 'set', device, 'up'])),
    }
  },
}

export const setClockOff: Fault = {
  name: 'set the clock off',
  targets,
  weight: 2,
  lastsMs: [10_000, 60_000],
  lacks: (world) => (world.clocks.areFaked ? undefined : 'libfaketime (Debian package libfaketime)'),
  async inject(world, target, chance) {
    // From a day behind to a day ahead.
    const seconds = Math.round((chance * 2 - 1) * 86_400)
    world.clocks.set(target, seconds)
    const words = `${Math.abs(seconds)} s ${seconds < 0 ? 'behind' : 'ahead'}`
    return { did: `the clock of ${target} set ${words}`, heal: async () => world.clocks.set(target, 0) }
  },
}

/** One of the guests that run on the host, but none that is watched for staying alive. */
export const killGuest: Fault = {
  name: 'kill a guest',
  targets,
  weight: 3,
  async inject(world, target, chance) {
    const guests = world
      .guestProcesses(target)
      .filter(({ serverId }) => !world.bystanders.has(serverId))
      .toSorted((one, other) => (one.serverId < other.serverId ? -1 : 1))
    const chosen = guests[Math.floor(chance * guests.length)]
    if (!chosen) return { did: `no guest of ${target} to kill` }
    signal(chosen.process, 'SIGKILL')
    return { did: `QEMU of ${chosen.serverId} on ${target} killed` }
  },
}

function killProgram(program: HostProgram, weight: number): Fault {
  return {
    name: `kill ${nameOf(program)}`,
    targets,
    weight,
    async inject(world, target) {
      const running = world.host(target).program(program)
      if (!running) return { did: `${program} of ${target} was down already` }
      signal(running, 'SIGKILL')
      return { did: `${program} of ${target} killed` }
    },
  }
}

function pauseProgram(program: HostProgram, weight: number): Fault {
  const inject = async (world: World, target: string): Promise<Injected> =>
    pause(`${program} of ${target}`, world.host(target).program(program))
  return { name: `pause ${nameOf(program)}`, targets, weight, lastsMs: [5_000, 60_000], inject }
}

function nameOf(program: HostProgram): string {
  return program === 'agent' ? 'an agent' : program
}
