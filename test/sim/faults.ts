import type { Cloud } from './cloud/cloud.js'
import type { SimulatedHost } from './cloud/host.js'
import type { Chance } from './core/chance.js'
import { noMessageFaults } from './core/redis.js'
import type { World } from './core/world.js'
import { forgeResult } from './cloud/forgery.js'
import { noStatementFaults } from './postgres/faults.js'

/** Something that goes wrong once, with what ends it, if anything must. */
type Mishap = (cloud: Cloud, chance: Chance) => void

const after = (cloud: Cloud, chance: Chance, [least, most]: readonly [number, number], action: () => void) =>
  void cloud.world.simulation.after(chance.spread(least, most), action)

const aWhile = [200, 20_000] as const

/** Any, or one that has something to lose: a guest that runs, or a router. */
function pickHost({ hosts }: Cloud, chance: Chance): SimulatedHost {
  const inUse = hosts.filter(({ hypervisor, networks }) => {
    return networks.inForce?.routers.length || hypervisor.guestsInTruth().some(({ running }) => running)
  })
  return chance.pick(inUse.length > 0 && chance.happens(0.7) ? inUse : hosts)
}

/** What ended it once may end it again, soon after it was started. */
function killAgent(cloud: Cloud, chance: Chance, host: SimulatedHost): void {
  if (cloud.isWell) return
  host.killAgent()
  // What it said was on its way for so long.
  for (let said = chance.whole(0, 3); said > 0; said--) after(cloud, chance, [1_000, 20_000], () => cloud.repeatOf(host))
  after(cloud, chance, aWhile, () => {
    host.startAgent()
    if (chance.happens(0.5)) after(cloud, chance, aWhile, () => killAgent(cloud, chance, host))
  })
}

const mishaps = {
  killService: (cloud, chance) => {
    const name = chance.pick(cloud.serviceNames)
    cloud.killService(name)
    after(cloud, chance, aWhile, () => cloud.startService(name))
  },
  pauseService: (cloud, chance) => cloud.pauseService(chance.pick(cloud.serviceNames), chance.spread(100, 60_000)),
  killApi: (cloud) => cloud.tenant.restartApi(),
  killAgent: (cloud, chance) => killAgent(cloud, chance, pickHost(cloud, chance)),
  pauseAgent: (cloud, chance) => pickHost(cloud, chance).pauseAgent(chance.spread(100, 60_000)),
  powerCut: (cloud, chance) => {
    const host = pickHost(cloud, chance)
    host.cutPower()
    after(cloud, chance, aWhile, () => host.boot())
  },
  // Only what is off may be fenced: that is what the operator's word means.
  fence: (cloud, chance) => {
    const host = pickHost(cloud, chance)
    host.cutPower()
    after(cloud, chance, aWhile, () => !host.isOn && void cloud.fence(host).catch(() => undefined))
    after(cloud, chance, [25_000, 60_000], () => host.boot())
    after(cloud, chance, aWhile, () => chance.happens(0.5) && void cloud.release(host))
  },
  // As for maintenance: what may leave it does, meanwhile.
  disable: (cloud, chance) => {
    const host = pickHost(cloud, chance)
    void cloud.setEnabled(host, false).catch(() => undefined)
    after(cloud, chance, aWhile, () => void cloud.setEnabled(host, true).catch(() => undefined))
  },
  troubleNetworks: (cloud, chance) => {
    const { networks } = pickHost(cloud, chance)
    const kind = chance.pick(['trouble', 'warning'] as const)
    networks[kind] = 'there is no dnsmasq'
    after(cloud, chance, aWhile, () => void (networks[kind] = undefined))
  },
  emptyRedis: ({ world }) => world.redis.empty(),
  stopRedis: (cloud, chance) => {
    cloud.world.redis.stop()
    if (chance.happens(0.5)) cloud.world.redis.empty()
    after(cloud, chance, aWhile, () => cloud.world.redis.start())
  },
  restartPostgres: (cloud, chance) => {
    cloud.world.postgres.stop()
    after(cloud, chance, [100, 10_000], () => cloud.world.postgres.start())
  },
  stallHypervisor: (cloud, chance) => {
    const { faults } = pickHost(cloud, chance).hypervisor
    faults.plan(chance.pick(['define', 'start', 'powerOff', 'undefine', 'inspect', 'list'] as const), 'stall')
    after(cloud, chance, [100, 200_000], () => faults.release())
  },
  refuseStart: (cloud, chance) => pickHost(cloud, chance).hypervisor.faults.plan('start', 'refuse'),
  dropHypervisor: (cloud, chance) => {
    const { hypervisor } = pickHost(cloud, chance)
    hypervisor.disconnect()
    after(cloud, chance, aWhile, () => hypervisor.reconnect())
  },
  guestActs: (cloud, chance) => {
    const { hypervisor } = pickHost(cloud, chance)
    const guest = chance.pick(hypervisor.guestsInTruth())
    if (!guest) return
    const act = chance.pick(['powerOffFromInside', 'kill', 'crash', 'ignoreButton', 'destroy'] as const)
    cloud.world.trace.note('guest', `${guest.serverId}: ${act}`)
    cloud.tenant.power.mayStop(guest.serverId)
    hypervisor[act](guest.serverId)
  },
  forgeResult: (cloud, chance) => forgeResult(cloud, pickHost(cloud, chance), chance),
  loseEvents: (cloud, chance) => pickHost(cloud, chance).hypervisor.loseEvents(chance.whole(1, 5)),
} satisfies Record<string, Mishap>

export type MishapName = keyof typeof mishaps

/** What may go wrong in one history: a few kinds of faults, so that each kind is also met without the others. */
export class Troubles {
  private readonly kinds: readonly MishapName[]

  constructor(
    private readonly cloud: Cloud,
    private readonly chance: Chance,
  ) {
    const all = Object.keys(mishaps) as MishapName[]
    this.kinds = chance.shuffled(all).slice(0, chance.pick([0, 1, 2, 3, all.length]))
  }

  /** Sets what may go wrong with every statement, message and call from now on. */
  begin(): void {
    const { world, hosts } = this.cloud
    const { chance } = this
    const rate = (most: number) => (chance.happens(0.3) ? chance.between(0, most) : 0)
    world.postgres.faults = {
      serializationFailure: rate(0.1),
      deadlock: rate(0.1),
      lostBefore: rate(0.05),
      lostAfter: rate(0.08),
      slow: rate(0.05),
    }
    world.redis.faults = { lost: rate(0.4), repeated: rate(0.4), again: rate(0.5), late: rate(0.3), inDoubt: rate(0.2) }
    for (const { hypervisor, networks } of hosts) {
      if (chance.happens(0.3)) networks.slowestMs = chance.spread(100, 5_000)
      hypervisor.faults.rates = { refuse: rate(0.1), 'lose-answer': rate(0.2), 'lose-call': rate(0.2) }
    }
  }

  strike(): void {
    if (this.kinds.length === 0) return
    const kind = this.chance.pick(this.kinds)
    this.cloud.world.trace.note('fault', kind)
    mishaps[kind](this.cloud, this.chance)
  }

  /** Everything is there and works, and stays so. */
  end(): void {
    const { world, hosts, serviceNames } = this.cloud
    world.trace.note('fault', 'all is well from now on')
    this.cloud.isWell = true
    heal(world)
    for (const name of serviceNames) this.cloud.startService(name)
    for (const host of hosts) {
      host.heal()
      // Somebody has to walk there.
      if (!host.isOn) after(this.cloud, this.chance, aWhile, () => host.boot())
      // What the operator said last may still be on its way; and so may what makes an agent look like two.
      for (const delayMs of [5_000, 60_000]) {
        world.simulation.after(delayMs, () => {
          void this.cloud.release(host)
          if (host.mayBeDisabled) void this.cloud.setEnabled(host, true)
        })
      }
    }
  }
}

function heal({ postgres, redis }: World): void {
  postgres.faults = noStatementFaults
  redis.faults = noMessageFaults
  postgres.start()
  redis.start()
}
