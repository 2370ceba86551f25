import { unitId, type NetworkPlan, type UnreadableUnit } from '@nubo/contract'

const lists = ['networks', 'ports', 'groups', 'routers'] as const

/**
 * The plan, with what of it could not be read as it was in the plan before: what runs goes on. What was not in that one either
 * is not there.
 */
export function completed(
  plan: NetworkPlan,
  unreadable: readonly UnreadableUnit[],
  before: NetworkPlan | undefined,
): NetworkPlan {
  if (unreadable.length === 0) return plan
  const kept = lists.map((list) => [list, [...plan[list], ...unitsBefore(list, unreadable, before)]] as const)
  return { ...plan, ...Object.fromEntries(kept) }
}

function unitsBefore<List extends (typeof lists)[number]>(
  list: List,
  unreadable: readonly UnreadableUnit[],
  before: NetworkPlan | undefined,
): NetworkPlan[List][number][] {
  const ids = new Set(unreadable.flatMap((unit) => (unit.list === list ? (unit.id ?? []) : [])))
  return (before?.[list] ?? []).filter((unit) => ids.has(unitId(list, unit)))
}
