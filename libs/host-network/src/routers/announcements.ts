import type { RouterId } from '@nubo/kernel'
import { familyOf } from '../addresses.js'
import type { Follower } from '../follower.js'
import { insideRouter, routerNamespace } from '../names.js'
import type { HostPlan, RouterPlan } from '../plan.js'
import type { ProcessRunner } from '../process-runner.js'
import { entering } from '../entering.js'
import { forEachRouter, forgetOthers } from './each-router.js'

const timeoutMs = 30_000

/** An address that somebody else may have had a moment ago, and where it is now. */
interface Announced {
  link: string
  address: string
}

/** Tells a router's neighbours at once where its addresses are now: until they ask again they would send to where it was. */
export class Announcements implements Follower {
  /** By router, what was announced of it. */
  private readonly known = new Map<RouterId, ReadonlySet<string>>()

  constructor(private readonly processes: ProcessRunner) {}

  async follow(plan: HostPlan): Promise<void> {
    const routers = plan.routers.filter(({ adminStateUp }) => adminStateUp)
    forgetOthers(this.known, routers)
    await forEachRouter(routers, async (router) => {
      const { routerId } = router
      const all = new Map(announcedBy(router).map((one) => [keyOf(router, one), one]))
      const fresh = [...all].filter(([key]) => !this.known.get(routerId)?.has(key)).map(([, one]) => one)
      if (fresh.length > 0) await this.announce(routerNamespace(routerId), fresh)
      this.known.set(routerId, new Set(all.keys()))
    })
  }

  /** Nobody waits for it: it is said three times, a second apart, as who heard of another place just now takes no news of it. */
  private async announce(namespace: string, announced: readonly Announced[]): Promise<void> {
    const words = announced.map(({ link, address }) => `arping -q -U -c 3 -w 3 -I ${link} ${address} >/dev/null 2>&1 &`)
    const script = `command -v arping >/dev/null\n${words.join('\n')}\n`
    const [program, ...args] = [...entering(namespace), 'sh', '-e'] as const
    await this.processes.run(program, args, { timeoutMs, input: script })
  }
}

/** A router that came back from another host announces itself again. */
const keyOf = ({ incarnation }: RouterPlan, { link, address }: Announced) => `${incarnation} ${link} ${address}`

function announcedBy({ gateway, interfaces, floatingIps }: RouterPlan): Announced[] {
  const outside = gateway ? [...gateway.addresses, ...floatingIps.map(({ address }) => address)] : []
  const own = [
    ...outside.map((address) => ({ link: insideRouter.gateway as string, address })),
    ...interfaces.flatMap(({ portId, addresses }) => addresses.map((address) => ({ link: insideRouter.port(portId), address }))),
  ]
  return own
    .filter(({ address }) => familyOf(address) === 4)
    .map(({ link, address }) => ({ link, address: address.split('/')[0]! }))
}
