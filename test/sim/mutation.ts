import type { LoadHookSync } from 'node:module'

/** A rule that our code keeps, taken out of it. */
export interface Mutation {
  name: string
  what: string
  /** The end of the path of the module that has it; absent: a statement, wherever it is made. */
  module?: string
  rule: string
  instead: string
  /** Within which the simulation is to find it; absent: no seed that was tried shows it. */
  withinSeeds?: number
}

/** Loads our modules, the mutated one with the mutation in the place of its rule. Throws where the rule is not in it. */
export function mutatingModules({ module, rule, instead }: Mutation): LoadHookSync {
  return (url, context, load) => {
    const loaded = load(url, context)
    if (!module || !url.endsWith(module)) return loaded
    const text = String(loaded.source)
    if (!text.includes(rule)) throw new Error(`${module} does not say: ${rule}`)
    return { ...loaded, source: text.replace(rule, () => instead) }
  }
}

/** The statement with the mutation in the place of its rule, where it has it. */
export function mutatedStatement({ module, rule, instead }: Mutation, text: string): string {
  return module ? text : text.replace(rule, () => instead)
}
