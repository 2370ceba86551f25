import { networkPlan, type NetworkPlan } from '@nubo/contract'
import { sharedWith } from '@nubo/host-network'
import { z } from 'zod'
import type { Files } from '../files.js'

const contents = z.object({
  bootId: z.string(),
  plan: networkPlan,
  /** What of the plan that was told is not in the one that is kept. */
  missing: z.array(z.string()).default([]),
})

export interface KeptPlanOptions {
  files: Files
  /** The host's own directory. */
  directory: string
  bootId: string
  /** Told of a file that cannot be read: the host is told its plan again when it registers. */
  onBroken: (path: string) => void
}

/** The newest plan that the host was told, as it outlives the agent. */
export class KeptPlan {
  private constructor(
    private readonly options: KeptPlanOptions,
    private kept: NetworkPlan | undefined,
    private lacks: readonly string[],
  ) {}

  static async open(options: KeptPlanOptions): Promise<KeptPlan> {
    const { files, directory, bootId, onBroken } = options
    const text = await files.read(pathIn(directory)).catch(() => '')
    const found = text === undefined ? undefined : contents.safeParse(jsonOf(text))
    if (found && !found.success) onBroken(pathIn(directory))
    return new KeptPlan(options, found?.data && asAfterBoot(found.data, bootId), found?.data?.missing ?? [])
  }

  get plan(): NetworkPlan | undefined {
    return this.kept
  }

  /** What of the plan that was told could not be read, for a person. */
  get missing(): readonly string[] {
    return this.lacks
  }

  async keep(plan: NetworkPlan, missing: readonly string[] = []): Promise<void> {
    const { files, directory, bootId } = this.options
    await files.write(pathIn(directory), JSON.stringify({ bootId, plan, missing }))
    // What says the same stays the same: whoever made something of it need not make it again.
    this.kept = sharedWith(this.kept, plan)
    this.lacks = missing
  }
}

const pathIn = (directory: string) => `${directory}/network-plan`

/**
 * A router may have been moved while the machine was off, and must not be at two places: after a boot it is made when the
 * host is told so again. While the machine stays on its routers are where they were.
 */
function asAfterBoot({ bootId, plan }: z.output<typeof contents>, now: string): NetworkPlan {
  return bootId === now ? plan : { ...plan, routers: [] }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
