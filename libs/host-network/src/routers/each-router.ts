import { CloudError, type RouterId } from '@nubo/kernel'
import type { RouterPlan } from '../plan.js'

/**
 * Does it for one router after the other: what cannot be done for one keeps it from no other.
 * @throws `Unavailable` that names all for which it could not be done.
 */
export async function forEachRouter(routers: readonly RouterPlan[], work: (router: RouterPlan) => Promise<void>): Promise<void> {
  const problems: string[] = []
  for (const router of routers) {
    try {
      await work(router)
    } catch (error) {
      if (!(error instanceof CloudError && error.kind === 'Unavailable')) throw error
      problems.push(`router ${router.routerId}: ${error.message}`)
    }
  }
  if (problems.length > 0) throw new CloudError('Unavailable', problems.join('; '))
}

/** What was known of routers that are not here any more. */
export function forgetOthers(known: Map<RouterId, unknown>, routers: readonly RouterPlan[]): void {
  const here = new Set(routers.map(({ routerId }) => routerId))
  for (const routerId of known.keys()) if (!here.has(routerId)) known.delete(routerId)
}
