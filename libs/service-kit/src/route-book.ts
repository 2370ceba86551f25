import type { RouteOptions } from 'fastify'
import type { ServedRoute } from './route.js'
import type { Surface } from './surface.js'
import { surfaceFor } from './surface.js'

/** Every route as it was registered, to be checked before the first request and walked by tests. */
export class RouteBook {
  readonly routes: ServedRoute[] = []

  add(route: RouteOptions): void {
    const declaration = route.config?.declaration ?? {}
    for (const method of [route.method].flat()) this.routes.push({ method, url: route.url, declaration })
  }

  /**
   * Throws where a route says not who may call it, where a POST says not whether it may be repeated, or where a microversion
   * speaks of what no route has.
   */
  check(surfaces: readonly Surface[], hasVerifier: boolean): void {
    const problems = [...this.unguarded(hasVerifier), ...this.unrepeatable(), ...this.ambiguousPolicies()]
    for (const surface of surfaces) problems.push(...this.strayMicroversions(surface, surfaces))
    if (problems.length > 0) throw new Error(`The routes are not in order:\n${problems.map((text) => `  - ${text}`).join('\n')}`)
  }

  private unguarded(hasVerifier: boolean): string[] {
    return this.routes.flatMap(({ method, url, declaration }) => {
      if (declaration.public) return []
      if (!declaration.policy && !declaration.actions) return [`${method} ${url} has neither a policy nor @Public()`]
      return hasVerifier ? [] : [`${method} ${url} has a policy, but nothing provides TokenVerifier`]
    })
  }

  private unrepeatable(): string[] {
    return this.routes
      .filter(({ method, declaration: { idempotent, notIdempotent } }) => method === 'POST' && !idempotent && !notIdempotent)
      .map(({ url }) => `POST ${url} is neither @Idempotent nor @NotIdempotent`)
  }

  /** Two policies of one name would be told apart by nobody. */
  private ambiguousPolicies(): string[] {
    const seen = new Map<string, unknown>()
    const problems: string[] = []
    for (const { declaration } of this.routes)
      for (const policy of [declaration.policy, ...Object.values(declaration.actions ?? {}).map((action) => action.policy)]) {
        if (!policy) continue
        if (seen.has(policy.name) && seen.get(policy.name) !== policy) problems.push(`two policies are called ${policy.name}`)
        seen.set(policy.name, policy)
      }
    return problems
  }

  private strayMicroversions(surface: Surface, surfaces: readonly Surface[]): string[] {
    if (!surface.microversions) return []
    const operations = new Set<string>()
    const shapes = new Set<string>()
    for (const { url, declaration } of this.routes) {
      if (surfaceFor(surfaces, url) !== surface || declaration.operation === undefined) continue
      operations.add(declaration.operation)
      for (const name of Object.keys(declaration.actions ?? {})) operations.add(`${declaration.operation}.${name}`)
      const answers = [declaration.answers, ...Object.values(declaration.actions ?? {}).map((action) => action.answers)]
      for (const shape of answers.flatMap((answer) => Object.values(answer ?? {}))) shapes.add([shape].flat()[0]!)
    }
    const named = surface.microversions.namesInUse()
    return [
      ...[...named.operations].filter((name) => !operations.has(name)).map((name) => `no route is the operation ${name}`),
      ...[...named.responses]
        .filter((name) => !operations.has(name) && !shapes.has(name))
        .map((name) => `no answer holds the shape ${name}`),
    ]
  }
}
