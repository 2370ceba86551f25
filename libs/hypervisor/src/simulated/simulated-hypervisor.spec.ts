import { describe, expect, it } from '@jest/globals'
import { newId, seededRandom, systemClock, type ProjectId, type ServerId } from '@nubo/kernel'
import type { GuestDefinition } from '../guest-definition.js'
import { HypervisorInTime } from '../hypervisor-in-time.js'
import type { Hypervisor, HypervisorEvent } from '../hypervisor.js'
import { describeHypervisor, type HypervisorUnderTest } from '../testing/conformance.js'
import { testNic } from '../testing/test-nic.js'
import { SimulatedHypervisor } from './simulated-hypervisor.js'

const underTest = async (as: (hypervisor: Hypervisor) => Hypervisor): Promise<HypervisorUnderTest> => {
  const hypervisor = simulated()
  return {
    hypervisor: as(hypervisor),
    prepareGuest: async () => ({ disks: [] }),
    booted: async () => {},
    powerOffFromInside: async (serverId) => hypervisor.powerOffFromInside(serverId),
    destroyFromElsewhere: async (serverId) => hypervisor.destroy(serverId),
    ignoreButton: async (serverId) => hypervisor.ignoreButton(serverId),
    clingTo: async (serverId) => hypervisor.ignoreButton(serverId),
    prepareNic: async () => testNic(),
    killProcess: async (serverId) => hypervisor.kill(serverId),
    async interrupt(meanwhile) {
      hypervisor.disconnect()
      await meanwhile()
      hypervisor.reconnect()
    },
    greeting: 'login:',
    tellsReboots: true,
    close: () => hypervisor.close(),
  }
}

describeHypervisor('the simulated host', () => underTest((hypervisor) => hypervisor))
describeHypervisor('a hypervisor in time', () => underTest((hypervisor) => new HypervisorInTime(hypervisor, systemClock)))

describe('the simulated host', () => {
  it('refuses, and has done nothing', async () => {
    const hypervisor = simulated()
    hypervisor.faults.plan('define', 'refuse')
    await expect(hypervisor.define(guest(1))).rejects.toMatchObject({ kind: 'Conflict' })
    expect(await hypervisor.list()).toEqual([])
    await hypervisor.define(guest(1))
  })

  it.each([
    ['lose-answer', 'running'],
    ['lose-call', 'shutdown'],
  ] as const)('leaves the caller in the dark: %s', async (fault, state) => {
    const hypervisor = simulated()
    await hypervisor.define(guest(1))
    hypervisor.faults.plan('start', fault)
    await expect(hypervisor.start(guest(1).serverId)).rejects.toMatchObject({
      kind: 'Unavailable',
      details: { outcome: 'unknown' },
    })
    expect((await hypervisor.inspect(guest(1).serverId))?.powerState).toBe(state)
  })

  it('stalls until it is released', async () => {
    const hypervisor = simulated()
    hypervisor.faults.plan('define', 'stall')
    const defining = hypervisor.define(guest(1))
    await systemClock.sleep(5)
    expect(hypervisor.faults.stalledCalls).toBe(1)
    expect(await hypervisor.list()).toEqual([])
    hypervisor.faults.release()
    await defining
    expect(await hypervisor.list()).toHaveLength(1)
  })

  it('lies, loses events, and forgets all guests in a power cut', async () => {
    const hypervisor = simulated()
    const events: HypervisorEvent[] = []
    hypervisor.watch((event) => events.push(event))
    await hypervisor.define(guest(1))
    hypervisor.loseEvents(1)
    await hypervisor.start(guest(1).serverId)
    expect(events).toEqual([])
    hypervisor.lie(guest(1).serverId, 'shutdown')
    expect((await hypervisor.list())[0]!.powerState).toBe('shutdown')
    hypervisor.lie(guest(1).serverId, 'absent')
    expect(await hypervisor.list()).toEqual([])
    hypervisor.tellTruth()
    expect((await hypervisor.list())[0]!.powerState).toBe('running')
    hypervisor.powerCut()
    expect(await hypervisor.inspect(guest(1).serverId)).toMatchObject({ powerState: 'shutdown', stopCause: 'unknown' })
    expect(events.map((event) => event.kind)).toEqual(['disconnected', 'reconnected'])
  })

  it('shows a running guest as it was started, and a new definition from its next start', async () => {
    const hypervisor = simulated()
    await hypervisor.define(guest(1))
    await hypervisor.start(guest(1).serverId)
    await hypervisor.define({ ...guest(1), incarnation: 2 })
    expect((await hypervisor.list())[0]!.incarnation).toBe(1)
    await hypervisor.powerOff(guest(1).serverId)
    expect((await hypervisor.list())[0]!.incarnation).toBe(2)
  })

  it('tells what is in another list when something changed, and in the same one when nothing did', async () => {
    const hypervisor = simulated()
    const { serverId } = guest(1)
    const nic = testNic()
    const changes: [what: string, change: () => unknown, left: object[]][] = [
      ['define', () => hypervisor.define(guest(1)), [{ incarnation: 1, running: false }]],
      ['start', () => hypervisor.start(serverId), [{ running: true }]],
      ['attach', () => hypervisor.attachNic(serverId, nic), [{ nics: [nic] }]],
      ['detach', () => hypervisor.detachNic(serverId, nic.portId), [{ nics: [] }]],
      ['define anew', () => hypervisor.define({ ...guest(1), incarnation: 2 }), [{ incarnation: 1, running: true }]],
      ['power off', () => hypervisor.powerOff(serverId), [{ incarnation: 2, running: false }]],
      ['start again', () => hypervisor.start(serverId), [{ incarnation: 2, running: true }]],
      ['power cut', () => hypervisor.powerCut(), [{ running: false }]],
      ['undefine', () => hypervisor.undefine(serverId), []],
    ]
    for (const [what, change, left] of changes) {
      const before = hypervisor.guestsInTruth()
      await hypervisor.list()
      expect([what, hypervisor.guestsInTruth() === before]).toEqual([what, true])
      await change()
      expect([what, hypervisor.guestsInTruth() === before]).toEqual([what, false])
      expect([what, hypervisor.guestsInTruth()]).toMatchObject([what, left])
    }
  })

  it('goes wrong at the rates given, and the same way with the same seed', async () => {
    const history = async (seed: number) => {
      const hypervisor = new SimulatedHypervisor({ clock: systemClock, random: seededRandom(seed) })
      hypervisor.faults.rates = { refuse: 0.1, 'lose-answer': 0.1, 'lose-call': 0.1 }
      const outcomes = []
      for (let each = 0; each < 300; each++) {
        outcomes.push(
          await hypervisor.define(guest(each)).then(
            () => 'done',
            (error: Error) => error.message,
          ),
        )
      }
      return outcomes
    }
    expect(await history(1)).toEqual(await history(1))
    expect(await history(1)).not.toEqual(await history(2))
    const failed = (await history(1)).filter((outcome) => outcome !== 'done').length
    expect(failed).toBeGreaterThan(60)
    expect(failed).toBeLessThan(120)
  })
})

function simulated(): SimulatedHypervisor {
  return new SimulatedHypervisor({ clock: systemClock, random: seededRandom(1) })
}

function guest(seed: number): GuestDefinition {
  return {
    serverId: newId<ServerId>(seededRandom(seed)),
    projectId: newId<ProjectId>(seededRandom(seed)),
    incarnation: 1,
    fencingEpoch: 1,
    name: `guest-${seed}`,
    vcpus: 1,
    memoryMiB: 64,
    disks: [],
    nics: [],
  }
}
