import { placementQueue, reportsQueue } from '@nubo/contract'
import { Examiner } from '@nubo/control-plane'
import { releaseHost, updateComputeService, type Finding } from '@nubo/database'
import { CloudError } from '@nubo/kernel'
import type { Process } from '../core/process.js'
import type { Chance } from '../core/chance.js'
import type { World } from '../core/world.js'
import { footingOf, startConductor, startScheduler, type Footing } from './control-plane.js'
import { SimulatedHost } from './host.js'
import { flavorId, imageId, projectId, Tenant } from './tenant.js'

const orderAgainMs = 2_000

/** What of the control plane runs more than once. */
interface Role {
  name: string
  start: (world: World, process: Process) => void
}

/** One or two of each: one alone meets no other, and two meet all that a hundred would. */
function chooseRoles(chance: Chance): Role[] {
  const names = (role: string) => ['a', 'b'].slice(0, chance.whole(1, 2)).map((letter) => `${role}-${letter}`)
  return [
    ...names('conductor').map((name) => ({ name, start: startConductor })),
    ...names('scheduler').map((name) => ({ name, start: startScheduler })),
  ]
}

/** A whole cloud on a simulated world: its programs, its hosts and its tenant. */
export class Cloud {
  readonly hosts: SimulatedHost[]
  readonly tenant: Tenant
  /** Nothing goes wrong any more. */
  isWell = false
  private readonly operator: Footing
  private readonly roles: readonly Role[]
  private readonly services = new Map<string, Process>()

  constructor(
    readonly world: World,
    chance: Chance,
  ) {
    this.furnish(chance.whole(2, 8))
    const count = chance.whole(1, 3)
    const sizes = Array.from({ length: count }, () => ({ vcpus: chance.whole(1, 5), memoryMiB: 64 * chance.whole(2, 6) }))
    this.hosts = sizes.map((size, index) => {
      const skewMs = chance.happens(0.2) ? chance.between(-3_600_000, 3_600_000) : 0
      return new SimulatedHost(world, `host-${index + 1}`, size, skewMs)
    })
    this.tenant = new Tenant(world, chance.fork())
    this.operator = footingOf(world, world.process('operator'))
    this.roles = chooseRoles(chance)
    for (const role of this.roles) this.start(role)
    for (const host of this.hosts) host.startAgent()
  }

  get serviceNames(): readonly string[] {
    return this.roles.map(({ name }) => name)
  }

  killService(name: string): void {
    const process = this.services.get(name)
    if (!process?.isAlive) return
    this.world.trace.note(name, 'is killed')
    process.kill()
  }

  startService(name: string): void {
    if (this.services.get(name)?.isAlive) return
    this.world.trace.note(name, 'starts')
    this.start(this.roles.find((role) => role.name === name)!)
  }

  pauseService(name: string, milliseconds: number): void {
    this.world.trace.note(name, `is paused for ${Math.round(milliseconds)} ms`)
    this.services.get(name)?.pause(milliseconds)
  }

  /** Something that the host has said comes again, unless all is well. */
  repeatOf(host: SimulatedHost): void {
    if (!this.isWell) this.world.redis.repeatOf(host.id)
  }

  /** The operator's word that a host is dead. */
  async fence(host: SimulatedHost): Promise<void> {
    this.world.trace.note('operator', `fences ${host.name}`)
    await this.insist(() => updateComputeService(this.operator.database, host.id, { forcedDown: true }))
  }

  /** No new servers go there, and routers leave it; or it is as the others again. */
  async setEnabled(host: SimulatedHost, enabled: boolean): Promise<void> {
    this.world.trace.note('operator', `${enabled ? 'enables' : 'disables'} ${host.name}`)
    host.mayBeDisabled = true
    await this.insist(() => updateComputeService(this.operator.database, host.id, { enabled }))
  }

  /** Its word that a host may take part again. */
  async release(host: SimulatedHost): Promise<void> {
    this.world.trace.note('operator', `releases ${host.name}`)
    await this.insist(() => releaseHost(this.operator.database, host.id))
  }

  /** An operator who is told that the cloud cannot be reached gives the order again. */
  private async insist(order: () => Promise<unknown>): Promise<void> {
    const { clock } = this.operator.process
    for (;;) {
      try {
        await order()
        return
      } catch (error) {
        if (!(error instanceof CloudError && error.kind === 'Unavailable')) throw error
        await clock.sleep(orderAgainMs)
      }
    }
  }

  /** As `nubo doctor` looks: at the records, and at what hosts say lies on them. */
  async examine(): Promise<readonly Finding[]> {
    const { database, queue, process } = this.operator
    const examiner = new Examiner({ database, queue, queues: [placementQueue, reportsQueue], clock: process.clock })
    return (await examiner.examine()).findings
  }

  private start({ name, start }: Role): void {
    const process = this.world.process(name)
    this.services.set(name, process)
    start(this.world, process)
  }

  /** A flavor, an image, and a project with a limit that can be reached. */
  private furnish(instances: number): void {
    const { engine } = this.world
    engine.run(
      `INSERT INTO flavors (id, name, vcpus, memory_mib, disk_gib) VALUES ($1, 'small', 1, 64, 1) ON CONFLICT DO NOTHING`,
      [flavorId],
      0,
    )
    engine.run(
      `INSERT INTO images (id, project_id, status, visibility, disk_format, container_format, size_bytes, virtual_bytes, sha512)
       VALUES ($1, $2, 'active', 'public', 'qcow2', 'bare', 1024, 1048576, $3) ON CONFLICT DO NOTHING`,
      [imageId, projectId, 'a'.repeat(128)],
      0,
    )
    engine.run('INSERT INTO project_quotas (project_id, limits) VALUES ($1, $2)', [projectId, { instances }], 0)
  }
}
