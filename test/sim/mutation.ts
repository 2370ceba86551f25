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

/** Our code does not say the rule (any more) that was to be broken: nothing is shown by what is lived without it. */
export class RuleNotMet extends Error {
  constructor({ name, module, rule }: Mutation) {
    super(`Mutation ${name}: rule not met: ${module ?? 'no statement that was carried out'} does not say: ${rule}`)
    this.name = 'RuleNotMet'
  }
}

/** Loads our modules, the mutated one with the mutation in the place of its rule. */
export class MutatedModules {
  private isMet = false

  constructor(private readonly mutation: Mutation) {}

  readonly load: LoadHookSync = (url, context, load) => {
    const { module, rule, instead } = this.mutation
    const loaded = load(url, context)
    if (!module || !url.endsWith(module)) return loaded
    const text = String(loaded.source)
    if (!text.includes(rule)) throw new RuleNotMet(this.mutation)
    this.isMet = true
    return { ...loaded, source: text.replace(rule, () => instead) }
  }

  /** To be called when all is loaded. Throws where the mutated module was not among it. */
  requireMet(): void {
    if (this.mutation.module && !this.isMet) throw new RuleNotMet(this.mutation)
  }
}

/** Carries out statements with the mutation in the place of its rule, where they have it. */
export class MutatedStatements {
  /** Whether one had it: nothing was mutated where none did. */
  isMet = false

  constructor(private readonly mutation: Mutation) {}

  inPlaceOf(text: string): string {
    const { rule, instead } = this.mutation
    if (!text.includes(rule)) return text
    this.isMet = true
    return text.replace(rule, () => instead)
  }
}
