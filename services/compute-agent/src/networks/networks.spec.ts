import { computeQueue, type NetworkPlan, type NetworkPlanApplied } from '@nubo/contract'
import { newId, systemRandom, type PortId } from '@nubo/kernel'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { eventually } from '../testing/eventually.js'
import { planOf as anyPlan } from '../testing/network-plans.js'
import { TestHost } from '../testing/test-agent.js'
import { VirtualClock } from '../testing/virtual-clock.js'
import { KeptPlan } from './kept-plan.js'
import { Networks } from './networks.js'
import { Session } from '../session.js'
import { memoryFiles } from '../testing/memory-files.js'
import { quiet } from '../testing/test-agent.js'
import { SimulatedHostNetwork, tapName } from '@nubo/host-network'

const portId = newId<PortId>(systemRandom)

/** A plan with one port. */
const planOf = (host: TestHost, revision: number, { ports = [portId], routers = 0 } = {}) =>
  anyPlan(host, revision, { ports, routers })

describe('an agent that is told its networks', () => {
  let host: TestHost

  beforeEach(async () => {
    host = await TestHost.make()
    await host.startAgent()
  })
  afterEach(() => host.close())

  const tell = (plan: NetworkPlan) => host.queue.cast(computeQueue(host.hostId), plan)
  const told = () =>
    host.conductor.reports.filter((report): report is NetworkPlanApplied => report.kind === 'network-plan-applied')
  const heard = async (revision: number) => await eventually(() => told().some((report) => report.revision === revision))

  it('carries the plan out and says so', async () => {
    await tell(planOf(host, 3))
    await heard(3)
    expect(told()).toEqual([
      {
        ...{ kind: 'network-plan-applied', hostId: host.hostId, sessionId: host.conductor.sessionId },
        ...{ sequence: expect.any(Number), revision: 3, trouble: null, troubled: [], warning: null },
      },
    ])
    expect(host.network.plug(portId)).toEqual({ bridge: 'nubr7', device: tapName(portId) })
  })

  it('leaves a plan that is older than what it carries, and says what it carries', async () => {
    await tell(planOf(host, 3))
    await heard(3)
    await tell(planOf(host, 2, { ports: [] }))
    await eventually(() => told().length === 2)
    expect(told()[1]).toMatchObject({ revision: 3 })
    expect(host.network.plug(portId)).toBeDefined()
  })

  it('carries the first plan of a new session, though it counted further before: the cloud may have forgotten the host', async () => {
    await tell(planOf(host, 30, { routers: 1 }))
    await heard(30)
    await host.stopAgent()
    await host.startAgent()
    await tell(planOf(host, 1, { ports: [] }))
    await heard(1)
    expect(host.network.plug(portId)).toBeUndefined()
    await tell(planOf(host, 2))
    await heard(2)
    await tell(planOf(host, 1, { ports: [] }))
    await eventually(() => told().filter(({ revision }) => revision === 2).length === 2)
    expect(host.network.plug(portId)).toBeDefined()
  })

  it('says when it registers whether it carries networks', async () => {
    await tell(planOf(host, 3))
    await heard(3)
    await host.stopAgent()
    await host.startAgent()
    expect(host.conductor.all('register').map(({ carriesNetworks }) => carriesNetworks)).toEqual([false, true])
  })

  it('leaves a plan of a session that is not its own', async () => {
    await tell({ ...planOf(host, 9), sessionId: newId(systemRandom) })
    await tell(planOf(host, 3))
    await heard(3)
    expect(told().map(({ revision }) => revision)).toEqual([3])
  })

  it('says what of the plan is missing, and that it is there', async () => {
    host.network.trouble = 'no device'
    await tell(planOf(host, 3))
    await heard(3)
    expect(told()[0]).toMatchObject({ revision: 3, trouble: 'no device' })
    host.network.trouble = undefined
    await tell(planOf(host, 4))
    await heard(4)
    expect(told().at(-1)).toMatchObject({ trouble: null })
  })

  it('says what is worse than it could be, of a plan that it carries all the same', async () => {
    host.network.warning = 'eth0 is too narrow'
    await tell(planOf(host, 3))
    await heard(3)
    expect(told()[0]).toMatchObject({ revision: 3, trouble: null, warning: 'eth0 is too narrow' })
    host.network.warning = undefined
    await tell(planOf(host, 4))
    await heard(4)
    expect(told().at(-1)).toMatchObject({ warning: null })
  })

  it('carries all of a plan but what breaks the contract, which stays as it was, and says what that is', async () => {
    const [other, third] = [newId<PortId>(systemRandom), newId<PortId>(systemRandom)]
    await tell(planOf(host, 3))
    await heard(3)
    const plan = planOf(host, 4, { ports: [portId, other, third] })
    const breaks = ({ portId: id }: { portId: PortId }) => id !== third
    const broken = { ...plan, ports: plan.ports.map((port) => (breaks(port) ? { ...port, mac: 'none' } : port)) }
    await tell(broken as NetworkPlan)
    await heard(4)
    expect([portId, other, third].map((id) => host.network.plug(id) !== undefined)).toEqual([true, false, true])
    const { networkId } = plan.networks[0]!
    expect(told().at(-1)).toMatchObject({ revision: 4, troubled: [networkId] })
    expect(told().at(-1)!.trouble).toContain(`port ${other} of network ${networkId} cannot be read: mac`)

    await host.stopAgent()
    await host.startAgent()
    await tell({ ...broken, sessionId: host.conductor.sessionId! } as NetworkPlan)
    await eventually(() => told().filter(({ revision }) => revision === 4).length > 1)
    expect(told().at(-1)!.trouble).toContain(other)

    await tell({ ...plan, revision: 5, sessionId: host.conductor.sessionId! })
    await heard(5)
    expect([told().at(-1)!.trouble, host.network.plug(other)]).toEqual([null, expect.anything()])
  })

  it('says so where what came is no plan, and goes on as it is', async () => {
    await tell(planOf(host, 3))
    await heard(3)
    await tell({ ...planOf(host, 4), networks: 'none' } as never)
    await eventually(() => told().at(-1)!.trouble !== null)
    expect(told().at(-1)).toMatchObject({ revision: 3, trouble: expect.stringContaining('cannot read'), troubled: [] })
    expect(host.network.plug(portId)).toBeDefined()
    await tell(planOf(host, 5))
    await heard(5)
    expect(told().at(-1)).toMatchObject({ trouble: null })
  })

  it('carries out what the agent before it was told, before any conductor answers', async () => {
    await tell(planOf(host, 3, { routers: 1 }))
    await heard(3)
    await host.stopAgent()
    host.network = new SimulatedHostNetwork()
    host.conductor.answers = false
    await host.startAgent({ registered: false })
    await eventually(() => host.network.plug(portId) !== undefined)
    expect(told()).toHaveLength(1)
  })
})

describe('a plan that was kept', () => {
  it('is without its routers after a boot: they may live elsewhere by now', async () => {
    const host = TestHost.onClock(new VirtualClock())
    host.conductor.sessionId = newId(systemRandom)
    const files = memoryFiles()
    const open = (bootId: string) =>
      KeptPlan.open({
        ...{ files, directory: '/host', bootId },
        onBroken: (path) => {
          throw new Error(path)
        },
      })
    await (await open('first')).keep(planOf(host, 3, { routers: 2 }))
    expect((await open('first')).plan).toMatchObject({ revision: 3, routers: [{}, {}] })
    expect((await open('second')).plan).toMatchObject({ revision: 3, routers: [], ports: [{}] })
    await host.close()
  })

  it('that cannot be read is left, and told of', async () => {
    const files = memoryFiles()
    await files.write('/host/network-plan', '{"bootId":"x"')
    const broken: string[] = []
    const kept = await KeptPlan.open({ files, directory: '/host', bootId: 'x', onBroken: (path) => broken.push(path) })
    expect([kept.plan, broken]).toEqual([undefined, ['/host/network-plan']])
  })
})

describe('of plans that come together', () => {
  it('the newest is kept and carried, whichever the disk is done with first', async () => {
    const files = memoryFiles()
    const begun: (() => void)[] = []
    const slowly = {
      ...files,
      write: async (path: string, text: string) => {
        await new Promise<void>((resolve) => begun.push(resolve))
        await files.write(path, text)
      },
    }
    const { host, networks: subject } = await networksOn(slowly)
    const taken = Promise.all([subject.take(planOf(host, 5, { ports: [] })), subject.take(planOf(host, 6))])
    await eventually(() => begun.length > 0)
    // The last one that it was asked for first.
    while (begun.length > 0) {
      begun.pop()!()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await taken
    expect(host.network.plug(portId)).toBeDefined()
    expect(JSON.parse((await files.read('/host/network-plan'))!)).toMatchObject({ plan: { revision: 6 } })
  })
})

async function networksOn(files = memoryFiles()) {
  const clock = new VirtualClock()
  const host = TestHost.onClock(clock)
  const session = new Session()
  host.conductor.sessionId = newId(systemRandom)
  session.begin({ sessionId: host.conductor.sessionId, fencingEpoch: 1 } as never)
  const kept = await KeptPlan.open({ files, directory: '/host', bootId: 'x', onBroken: () => {} })
  const parts = { hostId: host.hostId, network: host.network, kept, session, clock, logger: quiet, cast: async () => true }
  return { host, networks: new Networks(parts) }
}

describe('whoever waits for a port', () => {
  it('is told where it is plugged in when the plan with it is in force', async () => {
    const { host, networks: subject } = await networksOn()
    const plug = subject.whenPlugged(portId, new AbortController().signal)
    await subject.take(planOf(host, 1, { ports: [] }))
    await subject.take(planOf(host, 2))
    expect(await plug).toEqual({ bridge: 'nubr7', device: tapName(portId) })
    expect(await subject.whenPlugged(portId, new AbortController().signal)).toEqual(await plug)
  })

  it('waits no longer than its signal lets it', async () => {
    const { networks: subject } = await networksOn()
    const enough = new AbortController()
    const plug = subject.whenPlugged(portId, enough.signal)
    enough.abort(new Error('overtaken'))
    await expect(plug).rejects.toThrow('overtaken')
  })
})
