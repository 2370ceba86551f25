import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { keyOf, type KernelObject } from './engine/objects.js'
import { routerNamespace, tapName } from './names.js'
import type { HostPlan } from './plan.js'
import { programOf } from './program-of.js'
import { anyPlan } from './testing/any-plan.js'
import { ManualClock } from './testing/manual-clock.js'
import { groupChain, guardChain } from './groups/chain-names.js'
import { emptyPlan, groupOf, ingress, routerOf, testSettings } from './testing/plans.js'
import { guestPort, planOf, servedNetwork } from './testing/served-networks.js'
import { SimulatedMachine } from './testing/simulated-machine.js'

const settings = { ...testSettings, physicalNetworks: { outside: { device: 'eth7' } } }
const freshMachine = () => new SimulatedMachine(settings, new ManualClock(), ['eth0', 'eth7'])

/** What is on a machine, for this plan: settings stay as they were left, and so do links of others but for their bridge. */
async function stateOf(machine: SimulatedMachine, plan: HostPlan) {
  const wanted = programOf(plan, settings).objects
  const { objects, tables } = await machine.kernel.read()
  const seen = (object: KernelObject) => {
    if (object.kind === 'setting' && !wanted.has(keyOf(object))) return []
    const isFound = object.kind === 'link' && object.make.kind === 'found'
    return [[keyOf(object), isFound ? { master: object.master } : object] as const]
  }
  const texts = [...machine.files].filter(([path]) => path.startsWith(`${settings.directory}/dnsmasq/`))
  return {
    objects: new Map([...objects.values()].flatMap(seen).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    tables: new Map([...tables].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    files: new Map(texts.toSorted()),
    running: [...machine.running.values()].map(({ args }) => args.join(' ')).toSorted(),
  }
}

const plugIn = (machine: SimulatedMachine, { ports }: HostPlan) => {
  for (const { portId } of ports.slice(0, 2)) machine.kernel.appears(tapName(portId))
}

describe('a host that is told one plan after the other', () => {
  it('is as if it had been told the last alone', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan, anyPlan, async (first, second) => {
        const [machine, other] = [freshMachine(), freshMachine()]
        for (const each of [machine, other]) [first, second].forEach((plan) => plugIn(each, plan))
        const network = machine.open()
        expect(await network.apply(first)).toEqual({ revision: 1 })
        expect(await network.apply(second)).toEqual({ revision: 1 })
        expect(await other.open().apply(second)).toEqual({ revision: 1 })
        expect(await stateOf(machine, second)).toEqual(await stateOf(other, second))
      }),
      { numRuns: 150 },
    )
  })

  it('changes nothing the second time, nor for whoever looks afresh', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan, async (plan) => {
        const machine = freshMachine()
        plugIn(machine, plan)
        const network = machine.open()
        await network.apply(plan)
        const { changes } = machine.kernel
        const running = [...machine.running.keys()]
        await network.apply(plan)
        expect(machine.kernel.reads).toBe(1)
        await network.mend()
        await machine.open().apply(plan)
        expect([machine.kernel.changes, [...machine.running.keys()]]).toEqual([changes, running])
      }),
      { numRuns: 60 },
    )
  })

  it('mends whatever was taken away, and stops half way', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan, fc.array(fc.nat(), { maxLength: 4 }), fc.boolean(), async (plan, losses, isRefused) => {
        const [machine, other] = [freshMachine(), freshMachine()]
        const network = machine.open()
        await network.apply(plan)
        await other.open().apply(plan)
        const keys = [...machine.kernel.objects.keys()].filter((key) => !/^link {2}eth|^setting/.test(key))
        for (const loss of losses) if (keys.length > 0) machine.kernel.lose(keys[loss % keys.length]!)
        if (isRefused) machine.kernel.refusals = 1
        expect(await network.mend()).toEqual({ revision: 1 })
        expect(await stateOf(machine, plan)).toEqual(await stateOf(other, plan))
      }),
      { numRuns: 150 },
    )
  })

  it('leaves nothing behind when it is told that nothing is to be', async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan, async (plan) => {
        const machine = freshMachine()
        const before = await stateOf(machine, emptyPlan)
        await machine.open().apply(plan)
        await machine.open().apply(emptyPlan)
        expect(await stateOf(machine, emptyPlan)).toEqual(before)
        expect([...machine.files.keys()]).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})

describe('a defect', () => {
  const [network, other] = [servedNetwork(5), servedNetwork(6)]
  const ports = [guestPort(network, 11), guestPort(other, 13)]

  it('of one router stops nothing else, and the router stays as it was', async () => {
    const machine = freshMachine()
    const opened = machine.open()
    const router = routerOf(1, [{ network, addresses: ['10.0.0.1/24'] }])
    const [plug] = router.interfaces
    const defective = { ...router, interfaces: [plug!, { ...plug!, mac: 'fa:16:3e:00:00:77' }] }
    expect(await opened.apply({ ...planOf([network], [ports[0]!]), routers: [router] })).toEqual({ revision: 1 })
    const { trouble, troubled } = await opened.apply({ ...planOf([network, other], ports, 2), routers: [defective] })
    expect([trouble, troubled]).toEqual([expect.stringContaining(router.routerId), [network.networkId]])
    expect(ports.map(({ portId }) => opened.plug(portId) !== undefined)).toEqual([true, true])
    expect(machine.kernel.objects.has(`namespace ${routerNamespace(router.routerId)}`)).toBe(true)
    expect((await opened.mend()).trouble).toBe(trouble)
    expect(await opened.apply({ ...planOf([network, other], ports, 3), routers: [router] })).toEqual({ revision: 3 })
  })

  it('by which a thing is said twice stops nothing else', async () => {
    const neighbours = ['77', '78'].map((end) => ({
      ...{ mac: `fa:16:3e:00:00:${end}`, addresses: ['10.0.0.77'], host: '192.0.2.12' },
    }))
    const opened = freshMachine().open()
    const { trouble, troubled } = await opened.apply(planOf([{ ...network, neighbours }, other], ports))
    expect([trouble, troubled]).toEqual([expect.stringContaining('10.0.0.77'), [network.networkId]])
    expect(ports.map(({ portId }) => opened.plug(portId) !== undefined)).toEqual([true, true])
  })

  it('is not what a tenant names as the routes of a router, twice to the same place', async () => {
    const to = (destination: string, nexthop: string) => ({ destination, nexthop })
    const routes = [to('10.9.0.0/16', '10.0.0.50'), to('10.9.0.0/16', '10.0.0.51'), to('0.0.0.0/0', '10.0.0.52')]
    const router = routerOf(1, [{ network, addresses: ['10.0.0.1/24'] }], { routes })
    const machine = freshMachine()
    expect(await machine.open().apply({ ...planOf([network], [ports[0]!]), routers: [router] })).toEqual({ revision: 1 })
    const vias = [...machine.kernel.objects.values()].flatMap((object) =>
      object.kind === 'route' && object.namespace.startsWith('nurt') ? [[object.destination, object.via]] : [],
    )
    expect(vias).toEqual([
      ['10.9.0.0/16', '10.0.0.51'],
      ['default', '10.0.0.52'],
    ])
  })
})

describe('a rule that the kernel refuses', () => {
  const [network, other] = [servedNetwork(5), servedNetwork(6)]
  const group = groupOf(1, [
    ingress({ protocol: 6, portMin: 22, portMax: 22 }),
    ingress({ protocol: 6, portMin: 99, portMax: 9 }),
  ])
  const ports = [
    guestPort(network, 11, { portSecurity: true, groups: [group.groupId] }),
    guestPort(network, 12, { portSecurity: true, allowedPairs: [{ mac: 'fa:16:3e:00:00:99', prefix: '10.9.9.9/32' }] }),
    guestPort(other, 13),
  ]
  const plan = { ...planOf([network, other], ports), groups: [group] }

  it('keeps back nothing else, neither other rules nor other networks, until it is taken', async () => {
    const machine = freshMachine()
    machine.kernel.refuses = (rule) => rule.includes('99-9') || rule.includes('10.9.9.9')
    const opened = machine.open()
    const { trouble, troubled } = await opened.apply(plan)
    expect(trouble).toContain('99-9')
    expect(trouble).toContain('10.9.9.9')
    expect(troubled).toEqual([network.networkId])
    expect(ports.map(({ portId }) => opened.plug(portId) !== undefined)).toEqual([true, true, true])
    const { chains } = machine.kernel.tables.get(' bridge nubo')!
    expect(chains.get(groupChain('ingress', group.groupId))!.rules).toHaveLength(1)
    expect(chains.get(guardChain(ports[1]!.portId))!.rules).toEqual(['drop'])
    expect(machine.processOf('network-6')).toBeDefined()

    machine.kernel.refuses = () => false
    expect(await opened.mend()).toEqual({ revision: 1 })
    const well = freshMachine()
    await well.open().apply(plan)
    expect(await stateOf(machine, plan)).toEqual(await stateOf(well, plan))
  })

  it('keeps everything as it was where it is one of those that all ports need', async () => {
    const machine = freshMachine()
    machine.kernel.refuses = (rule) => rule.startsWith('udp sport')
    const opened = machine.open()
    expect((await opened.apply(plan)).troubled).toBeUndefined()
    expect(opened.plug(ports[0]!.portId)).toBeUndefined()
    expect(machine.kernel.tables.has(' bridge nubo')).toBe(false)
  })
})

describe('filters that are not in force', () => {
  const [network, other] = [servedNetwork(5), servedNetwork(6)]
  const ports = [guestPort(network, 11), guestPort(other, 13)]

  it("of a router keep no guest of its host back, and are that router's trouble alone", async () => {
    const machine = freshMachine()
    machine.kernel.refuses = (rule) => rule.includes('floating_to_fixed')
    const router = routerOf(1, [{ network, addresses: ['10.0.0.1/24'] }])
    const opened = machine.open()
    const { troubled } = await opened.apply({ ...planOf([network, other], ports), routers: [router] })
    expect(troubled).toEqual([network.networkId])
    expect(ports.map(({ portId }) => opened.plug(portId) !== undefined)).toEqual([true, true])
  })

  it('on the bridges are the trouble of all networks, whatever of them the kernel names', async () => {
    const machine = freshMachine()
    const opened = machine.open()
    machine.kernel.change = async () => [{ why: `no element ${tapName(ports[0]!.portId)}` }]
    const { trouble, troubled } = await opened.apply(planOf([network, other], ports))
    expect([trouble, troubled]).toEqual([expect.stringContaining(tapName(ports[0]!.portId)), undefined])
    expect(ports.map(({ portId }) => opened.plug(portId))).toEqual([undefined, undefined])
  })
})

describe('a host of a thousand ports', () => {
  it('is told of one more in hardly more words than of the first', async () => {
    const network = servedNetwork(5, { subnets: [{ ...servedNetwork(5).subnets[0]!, cidr: '10.0.0.0/16' }] })
    const portAt = (number: number) => ({ ...guestPort(network, number), addresses: [`10.0.${number >> 8}.${number & 255}`] })
    const words = async (count: number) => {
      const machine = freshMachine()
      const host = machine.open()
      const ports = Array.from({ length: count }, (_, number) => portAt(number + 10))
      await host.apply(planOf([network], ports.slice(1)))
      let told = 0
      const change = machine.kernel.change.bind(machine.kernel)
      machine.kernel.change = (changes) => {
        told += changes.objects.length + changes.tables.reduce((sum, { changes }) => sum + changes.length, 0)
        return change(changes)
      }
      await host.apply(planOf([network], ports))
      return told
    }
    // What is drawn by lot among a thousand falls on a taken place now and then, and moves its neighbour.
    expect(await words(1_000)).toBeLessThan((await words(2)) * 4)
  })
})

describe('a network', () => {
  const network = servedNetwork(5)
  const port = guestPort(network, 11)

  it('of which a part cannot be made is tried again, and says so until it can', async () => {
    const machine = freshMachine()
    const host = machine.open()
    machine.kernel.refusals = 2
    const trouble = 'the kernel refuses; the filters of this host are not all in force'
    expect(await host.apply(planOf([network], [port]))).toEqual({ revision: 1, trouble })
    expect(host.plug(port.portId)).toBeUndefined()
    expect(await host.mend()).toEqual({ revision: 1 })
    expect(host.plug(port.portId)).toEqual({ bridge: 'nubr5', device: tapName(port.portId) })
  })

  it('on a bridge that the operator made is plugged in there, once that is there; it is neither made nor removed', async () => {
    const outside = { ...servedNetwork(6, { service: null }), segment: { kind: 'flat', physicalNetwork: 'street' } as const }
    const guest = guestPort(outside, 12)
    const physicalNetworks = { street: { bridge: 'br-street' } }
    const machine = new SimulatedMachine({ ...settings, physicalNetworks }, new ManualClock())
    const host = machine.open()
    const trouble = 'br-street, which leads to the physical network street, is not there'
    expect(await host.apply(planOf([outside], [guest]))).toEqual({ revision: 1, trouble, troubled: [outside.networkId] })
    expect(host.plug(guest.portId)).toBeUndefined()
    machine.kernel.appears('br-street')
    expect(await host.mend()).toEqual({ revision: 1 })
    expect(host.plug(guest.portId)?.bridge).toBe('br-street')
    await host.apply(emptyPlan)
    expect([...machine.kernel.objects.keys()]).toEqual(['link  br-street'])
  })

  it('takes no port out of a bridge of others', async () => {
    const machine = freshMachine()
    machine.kernel.appears('docker0')
    machine.kernel.appears('veth12ab', 'docker0')
    await machine.open().apply(planOf([network], [port]))
    await machine.open().apply(emptyPlan)
    expect(machine.kernel.objects.get('link  veth12ab')).toMatchObject({ master: 'docker0' })
  })

  it('takes a tap that no plan names out of whatever bridge it is in: nobody judges what comes from it', async () => {
    const machine = freshMachine()
    machine.kernel.appears('br-operator')
    machine.kernel.appears(tapName(port.portId), 'br-operator')
    await machine.open().apply(planOf([network], []))
    expect(machine.kernel.objects.get(`link  ${tapName(port.portId)}`)).toMatchObject({ master: null })
  })

  it('costs no second look when a guest has taken its tap along', async () => {
    const machine = freshMachine()
    machine.kernel.appears(tapName(port.portId), 'nubr5')
    const host = machine.open()
    await host.apply(planOf([network], [port]))
    machine.kernel.lose(`link  ${tapName(port.portId)}`)
    expect(await host.apply(planOf([network], []))).toEqual({ revision: 1 })
    expect(machine.kernel.reads).toBe(1)
  })

  it('on a physical network that the host is not on is told of, and the others are made', async () => {
    const machine = freshMachine()
    const host = machine.open()
    const absent = { ...servedNetwork(6), segment: { kind: 'flat', physicalNetwork: 'moon' } as const }
    const applied = await host.apply(planOf([network, absent], [port, guestPort(absent, 12)]))
    expect(applied.trouble).toContain('moon')
    expect([host.plug(port.portId)?.bridge, host.plug(guestPort(absent, 12).portId)]).toEqual(['nubr5', undefined])
  })
})

describe('the programs of a network', () => {
  const network = servedNetwork(5)
  const ports = [guestPort(network, 11), guestPort(network, 12)]
  const name = 'network-5'

  async function told() {
    const machine = freshMachine()
    const host = machine.open()
    await host.apply(planOf([network], ports.slice(0, 1)))
    return { machine, host, clock: machine.clock as ManualClock }
  }

  it('are told of a guest that comes, and started anew when one goes: they keep an address for whom they gave it to', async () => {
    const { machine, host } = await told()
    const [pid, first] = machine.processOf(name)!
    await host.apply(planOf([network], ports))
    expect(machine.processOf(name)![0]).toBe(pid)
    expect(first.signals).toEqual(['SIGHUP'])
    await host.apply(planOf([network], ports.slice(1)))
    expect(machine.processOf(name)![0]).not.toBe(pid)
    expect(first.signals).toEqual(['SIGHUP', 'SIGTERM'])
  })

  it('are told again when whoever told them may have died before', async () => {
    const { machine } = await told()
    const [, first] = machine.processOf(name)!
    const note = [...machine.files.keys()].find((path) => path.endsWith(`/${name}.json`))!
    machine.files.set(note, machine.files.get(note)!.replace(/"reads":"[^"]*"/, '"reads":"older"'))
    await machine.open().apply(planOf([network], ports.slice(0, 1)))
    expect(first.signals).toEqual(['SIGHUP'])
  })

  it('are started again within seconds when they end', async () => {
    const { machine, host, clock } = await told()
    machine.kill(name)
    clock.pass(3_000)
    await host.close()
    expect(machine.processOf(name)).toBeDefined()
  })

  it('that will not start are told of, and tried less and less often', async () => {
    const { machine, host } = await told()
    machine.broken.add('dnsmasq')
    machine.kill(name)
    const trouble = 'network-5: dnsmasq failed: it is broken'
    const failed = { revision: 1, trouble, troubled: [network.networkId] }
    expect(await host.mend()).toEqual(failed)
    machine.broken.clear()
    expect(await host.mend()).toEqual(failed)
    ;(machine.clock as ManualClock).pass(1_000)
    expect(await host.mend()).toEqual({ revision: 1 })
    expect(machine.processOf(name)).toBeDefined()
  })

  it('are never taken for another process that has their number', async () => {
    const { machine } = await told()
    const [pid] = machine.processOf(name)!
    machine.kill(name)
    const stranger = { program: 'editor', args: ['editor'], startedAt: 'later', signals: [] }
    machine.running.set(pid, stranger)
    await machine.open().apply(emptyPlan)
    expect([machine.running.get(pid), stranger.signals]).toEqual([stranger, []])
  })
})
