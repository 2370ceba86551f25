import { beforeEach, describe, expect, it } from '@jest/globals'
import { CloudError } from '@nubo/kernel'
import type { Follower } from '../follower.js'
import { routerNamespace } from '../names.js'
import type { ProcessRunner } from '../process-runner.js'
import { emptyPlan, gatewayOf, networkOf, routerOf } from '../testing/plans.js'
import { Announcements } from './announcements.js'
import { TranslatedConnections } from './translated.js'

const outside = networkOf(9)
const routers = [1, 2, 3].map((number) =>
  routerOf(number, [], { gateway: gatewayOf(outside, number, [`203.0.113.${number}/24`], []) }),
)
const plan = { ...emptyPlan, networks: [outside], routers }

/** Namespaces in which something was run. */
let entered: string[]
const broken = new Set<string>()
const processes: ProcessRunner = {
  run: async (_, [namespace = '']) => {
    const name = namespace.replace('--net=/run/netns/', '')
    if (broken.has(name)) throw new CloudError('Unavailable', `${name} is not there`)
    entered.push(name)
    return ''
  },
}
const namespaces = routers.map(({ routerId }) => routerNamespace(routerId))

beforeEach(() => {
  entered = []
  broken.clear()
})

describe.each<[string, (processes: ProcessRunner) => Follower]>([
  ['announcements', (processes) => new Announcements(processes)],
  ['connections that are translated', (processes) => new TranslatedConnections(processes)],
])('%s', (_, make) => {
  it('are seen to of each router, whatever cannot be done for another; and once', async () => {
    const follower = make(processes)
    broken.add(namespaces[0]!)
    await expect(follower.follow(plan)).rejects.toThrow(routers[0]!.routerId)
    expect(entered).toEqual(namespaces.slice(1))
    broken.clear()
    await follower.follow(plan)
    await follower.follow(plan)
    expect(entered).toEqual([...namespaces.slice(1), namespaces[0]])
  })

  it('are seen to again of a router that was elsewhere meanwhile', async () => {
    const follower = make(processes)
    await follower.follow(plan)
    await follower.follow({ ...plan, routers: [] })
    await follower.follow({ ...plan, routers: routers.slice(0, 1) })
    expect(entered).toEqual([...namespaces, namespaces[0]])
  })
})
