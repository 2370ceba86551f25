import { startLibvirtHost } from '@nubo/hypervisor/testing'
import { waitFor } from '@nubo/deploy'
import { mkdir } from 'node:fs/promises'
import { Cloud } from '../support/cloud.js'
import { readAgentTimes, type AgentTimes } from './agent-times.js'
import type { Figure } from './figures.js'
import { Floor, type FloorTimes } from './floor.js'
import { createServer, deleteServer, type Milestones } from './servers.js'
import { prepare, type Stage } from './stage.js'
import { median, p99 } from './statistics.js'

const warmUps = 3
const pairs = 25
const settle = { timeoutMs: 120_000, everyMs: 10 }

/** A boot sector that halts the processor: a guest that takes nothing from those who are measured. */
const restingGuest = new Uint8Array(1024 * 1024)
restingGuest.set([0xfa, 0xf4, 0xeb, 0xfc])
restingGuest.set([0x55, 0xaa], 510)

/**
 * Create to ACTIVE with real QEMU guests, and what no cloud can do without: the same overlay, the same definition and the
 * start, done directly through node-libvirt. In turn, so that both see the same machine.
 */
export async function benchRealGuests(): Promise<Figure[]> {
  await using stack = new AsyncDisposableStack()
  const host = stack.adopt(await startLibvirtHost(), (each) => each.close())
  const libvirt = { socketPath: host.libvirtd.socketPath, directory: host.directory, virtType: 'qemu' as const }
  const size = { name: 'real', vcpus: 64, memoryMiB: 65_536, diskGiB: 256 }
  const cloud = stack.use(await Cloud.start({ hosts: [{ ...size, libvirt }], durable: true, logLevel: 'info' }))
  const stage = await prepare(cloud, stack, restingGuest)
  await mkdir(`${host.directory}/floor`)
  const floor = stack.use(await Floor.open(libvirt.socketPath, `${host.directory}/floor`, restingGuest))

  const ids: string[] = []
  const floors: FloorTimes[] = []
  for (let pair = 0; pair < warmUps + pairs; pair++) {
    ids.push(await oneServer(stage))
    floors.push(await floor.once())
  }
  const counted = ids.slice(warmUps)
  const milestones = await stage.times.milestones(counted)
  const agentTimes = readAgentTimes(await cloud.logOf('agent-real'), counted)
  return [...ratios(milestones, floors.slice(warmUps)), ...whereItGoes(milestones, agentTimes)]
}

function ratios(milestones: readonly Milestones[], floors: readonly FloorTimes[]): Figure[] {
  const createMs = milestones.map(({ createdMs, activeMs }) => activeMs - createdMs)
  const floorMs = floors.map(({ totalMs }) => totalMs)
  const pairwise = createMs.map((ms, index) => ms / floorMs[index]!)
  return [
    { name: 'create to ACTIVE', value: median(createMs), p99: p99(createMs), unit: 'ms' },
    { name: 'the floor', value: median(floorMs), p99: p99(floorMs), unit: 'ms' },
    { name: 'create / floor, of the medians', value: median(createMs) / median(floorMs), unit: 'x', aim: { atMost: 1.15 } },
    { name: 'create / floor, pair by pair', value: median(pairwise), p99: p99(pairwise), unit: 'x' },
    medianOf('  floor: overlay', floors, ({ overlayMs }) => overlayMs),
    medianOf('  floor: define', floors, ({ defineMs }) => defineMs),
    medianOf('  floor: start', floors, ({ startMs }) => startMs),
  ]
}

/** The way of a create, hop by hop. What the agent does is its hypervisor's time and its own: image, drive, records. */
function whereItGoes(milestones: readonly Milestones[], agentTimes: readonly AgentTimes[]): Figure[] {
  const each = milestones.map((milestone, index) => ({ ...milestone, ...agentTimes[index]! }))
  return [
    medianOf('  create: recorded to placed', each, ({ createdMs, placedMs }) => placedMs - createdMs),
    medianOf('  create: placed to begun by the agent', each, ({ placedMs, beganMs }) => beganMs - placedMs),
    medianOf('  create: the agent', each, ({ beganMs, endedMs }) => endedMs - beganMs),
    medianOf('  create: ended by the agent to ACTIVE', each, ({ endedMs, activeMs }) => activeMs - endedMs),
  ]
}

function medianOf<Each>(name: string, all: readonly Each[], milliseconds: (each: Each) => number): Figure {
  const values = all.map(milliseconds)
  return { name, value: median(values), p99: p99(values), unit: 'ms' }
}

/** Creates a server, waits until it is ACTIVE, and deletes it. */
async function oneServer({ demo, times, parts }: Stage): Promise<string> {
  const id = await createServer(demo, 'guest', parts)
  await waitFor('the server ends its BUILD', async () => (await times.progress([id])).busy === 0, settle)
  if ((await times.progress([id])).active !== 1) throw new Error(`server ${id} did not become ACTIVE`)
  await deleteServer(demo, id)
  await waitFor('the server is gone', async () => (await times.progress([id])).gone === 1, settle)
  return id
}
