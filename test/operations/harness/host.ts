import { SimulatedHostNetwork } from '@nubo/host-network'
import { SimulatedHypervisor } from '@nubo/hypervisor'
import { newId, seededRandom, systemRandom, type Clock, type HostId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import type { Agent } from '../../../services/compute-agent/src/agent.js'
import { noDisks, type DiskMaker } from '../../../services/compute-agent/src/guests/disk-maker.js'
import type { GuestFiles } from '../../../services/compute-agent/src/guests/guest-files.js'
import { memoryFiles } from '../../../services/compute-agent/src/testing/memory-files.js'
import { assembleTestAgent } from '../../../services/compute-agent/src/testing/test-agent.js'
import type { Door } from './door.js'

const directory = '/host'

/** A host with its hypervisor and its disk, which outlive its agents. */
export class HarnessHost {
  readonly id = newId<HostId>(systemRandom)
  readonly hypervisor: SimulatedHypervisor
  private readonly network = new SimulatedHostNetwork()
  private readonly files = memoryFiles()

  constructor(clock: Clock) {
    this.hypervisor = new SimulatedHypervisor({ clock, random: seededRandom(1) })
  }

  /** An agent that reaches its host and the queue by `door` alone. */
  async startAgent(door: Door, queue: Queue, clock: Clock): Promise<Agent> {
    const files = door.files(this.files)
    const agent = await assembleTestAgent({
      hostId: this.id,
      bootId: 'first boot',
      directory,
      files,
      queue: door.queue(queue),
      hypervisor: door.hypervisor(this.hypervisor),
      network: this.network,
      disks: (guests) => writtenDisks(guests, files.write),
      clock: door.clock(clock),
    })
    agent.start()
    return agent
  }

  /** What of any guest lies on its disk. */
  async guestFiles(): Promise<string[]> {
    return await this.files.list(`${directory}/guests`)
  }
}

/** Disks that are files with nothing in them: what matters is whether they are removed. */
function writtenDisks(guests: GuestFiles, write: (path: string, text: string) => Promise<void>): DiskMaker {
  return {
    ...noDisks,
    async make(record) {
      await write(guests.diskPath(record), 'disk')
      await write(guests.configDrivePath(record), 'config drive')
    },
  }
}
