import { CloudError, type Clock, type PortId, type Timer } from '@nubo/kernel'
import { networksOf } from './concerned.js'
import type { Daemons } from './daemons.js'
import type { Kernel, KernelChanges, KernelState } from './engine/kernel.js'
import { noteChanges } from './engine/noted-state.js'
import { hostNamespace } from './engine/objects.js'
import { changesTo } from './engine/program-difference.js'
import type { Program } from './engine/program.js'
import { canBeWithout, withoutRefused, type Problem } from './engine/refusals.js'
import { tableDifferenceOf } from './engine/table-difference.js'
import type { NetworkFiles } from './files.js'
import type { Follower } from './follower.js'
import type { Applied, HostNetwork, Plug } from './host-network.js'
import { bridgeOf, tapName } from './names.js'
import type { HostPlan } from './plan.js'
import { programOf } from './program-of.js'
import type { HostSettings } from './settings.js'
import { sharedWith } from './shared-plan.js'

export interface ProgrammedHostNetworkOptions {
  kernel: Kernel
  daemons: Daemons
  followers: readonly Follower[]
  files: NetworkFiles
  settings: HostSettings
  clock: Clock
}

/** So often is looked whether the programs of the networks still run. */
const lookMs = 3_000
const longestTrouble = 1_500
/** So many rules are gone without at the most. */
const refusalsAtMost = 100

/** A host's networks in its kernel, by difference from what is there. */
export class ProgrammedHostNetwork implements HostNetwork {
  private plan: HostPlan | undefined
  private program: Program | undefined
  /** What is in the kernel; undefined while that is in doubt. */
  private state: KernelState | undefined
  /** What that was made by; undefined where others may have had a hand in it. */
  private inForce: Program | undefined
  /** What the files of ours say; undefined before they were read. */
  private written: Map<string, string> | undefined
  private plugs = new Map<PortId, Plug>()
  private turn: Promise<unknown> = Promise.resolve()
  private timer: Timer | undefined
  private closed = false

  constructor(private readonly options: ProgrammedHostNetworkOptions) {}

  apply(plan: HostPlan): Promise<Applied> {
    return this.inTurn(async () => {
      this.plan = sharedWith(this.plan, plan)
      this.program = programOf(this.plan, this.options.settings, this.program)
      this.lookAgainLater()
      return await this.carryOut()
    })
  }

  mend(): Promise<Applied> {
    return this.inTurn(async () => {
      if (!this.plan) return { revision: 0 }
      this.doubt()
      return await this.carryOut()
    })
  }

  plug(port: PortId): Plug | undefined {
    return this.plugs.get(port)
  }

  async close(): Promise<void> {
    this.closed = true
    this.timer?.cancel()
    await this.turn
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work)
    this.turn = result.catch(() => undefined)
    return result
  }

  /** All is looked at afresh. */
  private doubt(): void {
    this.state = undefined
    this.written = undefined
    this.options.daemons.doubt()
  }

  private async carryOut(): Promise<Applied> {
    const [plan, program] = [this.plan!, this.program!]
    const { daemons, followers } = this.options
    const { processes } = program
    const problems = [
      ...(await this.problemsOf(() => daemons.retire(processes))),
      ...(await this.problemsOf(() => this.programKernel(program))),
      ...(await this.problemsOf(() => this.writeFiles(program.files))),
    ]
    for (const follower of followers) problems.push(...(await this.problemsOf(() => follower.follow(plan))))
    problems.push(...(await this.problemsOf(() => daemons.settle(processes))), ...program.troubles)
    if (problems.length === 0) return { revision: plan.revision }
    const troubled = networksOf(problems, plan)
    return { revision: plan.revision, trouble: problems.join('; ').slice(0, longestTrouble), ...(troubled && { troubled }) }
  }

  /** One concern of the networks that cannot be seen to does not keep the others from it. */
  private async problemsOf(work: () => Promise<string[] | void>): Promise<string[]> {
    try {
      return (await work()) ?? []
    } catch (error) {
      if (!(error instanceof CloudError && error.kind === 'Unavailable')) throw error
      this.doubt()
      return [error.message]
    }
  }

  /**
   * What could not be done is tried once more, from what is there then: somebody else may have had a hand in it. Rules that
   * are refused are gone without until the next plan or look, so that they keep no others back.
   */
  private async programKernel(whole: Program): Promise<string[]> {
    const { kernel } = this.options
    let [program, problems, refusals]: [Program, Problem[], Problem[]] = [whole, [], []]
    for (let attempts = 0; attempts < 2 && refusals.length < refusalsAtMost;) {
      if (!this.state) this.inForce = undefined
      this.state ??= await kernel.read(whole.settings)
      problems = await this.makeSo(program, this.state)
      if (problems.length === 0) break
      this.state = undefined
      const refused = problems.filter((problem) => problem.refused && canBeWithout(whole, problem.refused))
      if (refused.length === 0) attempts++
      refusals = [...refusals, ...refused]
      program = withoutRefused(
        whole,
        refusals.flatMap((refusal) => refusal.refused ?? []),
      )
    }
    const state = await this.isDone(program, problems)
    this.noteWhatIsReady(state)
    // Words of the kernel about one thing are then about all networks: of the filters on bridges all are made, or none.
    const unfiltered = state ? [] : ['the filters of this host are not all in force']
    return [...[...refusals, ...problems].map(({ why }) => why), ...unfiltered, ...missing(program, state)]
  }

  private async makeSo(program: Program, state: KernelState): Promise<Problem[]> {
    const { kernel, daemons } = this.options
    const changes = changesTo(program, state, this.inForce)
    if (changes.objects.length + changes.tables.length > 0) {
      await daemons.leave(namespacesMadeAnew(changes))
      const problems = await kernel.change(changes)
      if (problems.length > 0) return problems
      noteChanges(state, changes)
    }
    this.inForce = program
    return []
  }

  /** Undefined where the filters on bridges are not in force. Those in the namespace of a router are its own concern. */
  private async isDone(program: Program, problems: readonly Problem[]): Promise<KernelState | undefined> {
    if (problems.length === 0) return this.state
    const state = await this.options.kernel.read(program.settings)
    const differences = tableDifferenceOf(state.tables, program.tables)
    return differences.some(({ table }) => table.namespace === hostNamespace) ? undefined : state
  }

  /** A port is ready when its bridge is there, and all filters are in force: what is undefined says that they are not. */
  private noteWhatIsReady(state: KernelState | undefined): void {
    const { networks, ports } = this.plan!
    const bridges = new Map(networks.map((network) => [network.networkId, bridgeOf(network, this.options.settings)]))
    const before = this.plugs
    this.plugs = new Map()
    for (const { portId, networkId } of ports) {
      const bridge = bridges.get(networkId)
      if (bridge === undefined) continue
      const isThere = state ? state.objects.has(`link ${hostNamespace} ${bridge}`) : before.has(portId)
      if (isThere) this.plugs.set(portId, { bridge, device: tapName(portId) })
    }
  }

  private async writeFiles(wanted: ReadonlyMap<string, string>): Promise<void> {
    const { files, settings } = this.options
    const written = (this.written ??= await this.readFiles(`${settings.directory}/dnsmasq`))
    for (const [path, text] of wanted) {
      if (written.get(path) === text) continue
      await files.write(path, text)
      written.set(path, text)
    }
    for (const path of [...written.keys()].filter((path) => !wanted.has(path))) {
      await files.remove(path)
      written.delete(path)
    }
  }

  private async readFiles(directory: string): Promise<Map<string, string>> {
    const { files } = this.options
    const read = async (path: string): Promise<[string, string]> => [path, (await files.read(path)) ?? '']
    return new Map(await Promise.all((await files.list(directory)).map(read)))
  }

  /** Whatever ended since is started again. */
  private lookAgainLater(): void {
    this.timer?.cancel()
    if (this.closed || this.program!.processes.size === 0) return
    this.timer = this.options.clock.after(lookMs, () => void this.look(), { background: true })
  }

  private async look(): Promise<void> {
    await this.inTurn(() => this.options.daemons.revive(this.program!.processes)).catch(() => undefined)
    this.lookAgainLater()
  }
}

/** Of others' links, what is not there; nothing while that is in doubt. */
function missing({ needs }: Program, state: KernelState | undefined): string[] {
  return [...needs].flatMap(([key, why]) => (state && !state.objects.has(key) ? [why] : []))
}

/** What runs in them listens on links that are not there any more. */
function namespacesMadeAnew({ objects }: KernelChanges): Set<string> {
  const made = objects.filter(({ verb, object }) => verb === 'make' && (object.kind === 'namespace' || object.kind === 'link'))
  return new Set(made.map(({ object }) => object.namespace).filter((namespace) => namespace !== hostNamespace))
}
