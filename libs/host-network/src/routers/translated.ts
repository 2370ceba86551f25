import type { RouterId } from '@nubo/kernel'
import type { Follower } from '../follower.js'
import { routerNamespace } from '../names.js'
import type { HostPlan, RouterPlan } from '../plan.js'
import type { ProcessRunner } from '../process-runner.js'
import { parseConnection, type Connection } from '../groups/connection-lines.js'
import { forEachRouter, forgetOthers } from './each-router.js'
import { snatAddressOf } from './translation.js'
import { entering } from '../entering.js'

const timeoutMs = 60_000

/**
 * Ends what goes on under an address that a router gave to somebody else: the kernel goes on translating a connection as it
 * began, whatever the maps say since.
 */
export class TranslatedConnections implements Follower {
  /** By router, the addresses that were seen to. */
  private readonly known = new Map<RouterId, string>()

  constructor(private readonly processes: ProcessRunner) {}

  async follow(plan: HostPlan): Promise<void> {
    const routers = plan.routers.filter(({ adminStateUp }) => adminStateUp)
    forgetOthers(this.known, routers)
    await forEachRouter(routers, async (router) => {
      const addresses = addressesOf(router)
      if (this.known.get(router.routerId) === addresses) return
      await this.settle(router)
      this.known.set(router.routerId, addresses)
    })
  }

  private async settle(router: RouterPlan): Promise<void> {
    const namespace = routerNamespace(router.routerId)
    const listing = await this.inside(namespace, 'conntrack', ['-L', '-f', 'ipv4', '-o', 'save'])
    const stale = listing
      .split('\n')
      .map(parseConnection)
      .filter((one) => one !== undefined && !isAsNow(one, router))
    if (stale.length === 0) return
    const input = `${stale.map((one) => `-D ${one!.tuple}`).join('\n')}\n`
    await this.inside(namespace, 'sh', ['-c', 'cat | conntrack -R -'], input)
  }

  private inside(namespace: string, program: string, args: readonly string[], input = ''): Promise<string> {
    const [enter, ...words] = entering(namespace)
    return this.processes.run(enter, [...words, program, ...args], { timeoutMs, input })
  }
}

const addressesOf = (router: RouterPlan) => JSON.stringify([router.floatingIps, router.gateway?.addresses, router.gateway?.snat])

/** Whether a connection that begins now would be translated so, or so that it may go on. */
function isAsNow({ source, destination, replySource, replyDestination }: Connection, router: RouterPlan): boolean {
  const { floatingIps } = router
  const isFloating = (address: string, fixed: string) =>
    floatingIps.some((floating) => floating.address === address && floating.fixedAddress === fixed)
  const arrives = destination === replySource || isFloating(destination, replySource)
  const leaves = source === replyDestination || isFloating(replyDestination, source) || replyDestination === snatAddressOf(router)
  return arrives && leaves
}
