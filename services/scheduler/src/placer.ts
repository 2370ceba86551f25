import {
  readHostSnapshot,
  claim,
  storeRefusal,
  type Database,
  type HostSnapshotRow,
  type PgOperationStore,
  type PgOperationTransaction,
} from '@nubo/database'
import {
  choose,
  faultMessage,
  PlacementSnapshot,
  rank,
  takeOff,
  type Decision,
  type HostSnapshot,
  type PlacementRequest,
} from '@nubo/domain'
import type { HostId, Random, StepId } from '@nubo/kernel'
import type { Caster, Located, OpenStep, Opened, OperationEngine } from '@nubo/workflow'
import type { PlacementObserver } from './placement-figures.js'

export interface PlacerOptions {
  database: Database
  store: PgOperationStore
  engine: OperationEngine
  caster: Caster
  random: Random
  observer: PlacementObserver
  /** A host that was silent for so long while others were heard gets no new servers. */
  silenceMs: number
  /** Told that nothing is placed for now, as we do not know which hosts are there. */
  onDeaf: (waiting: number) => void
  /** Told of a placement that could not be carried through; it stays due, so nothing is lost. */
  onError: (error: unknown) => void
}

/**
 * Decides where servers go and claims the room there. A decision is pure, on a snapshot; the claim is a conditional write
 * that fails where the snapshot was out of date, and then the next candidate is tried.
 */
export class Placer {
  constructor(private readonly options: PlacerOptions) {}

  /**
   * Places all of these in one batch, on one snapshot from which each claim is taken off at once. While hosts cannot be heard
   * nothing is decided: the steps stay open, and are hinted at again when they can.
   */
  async place(ids: readonly StepId[]): Promise<void> {
    const open = await this.options.store.readOpenSteps(ids)
    if (open.length === 0) return
    const cloud = await this.readCloud()
    if (!cloud.hearing) {
      this.options.observer.deaf(open.length)
      return this.options.onDeaf(open.length)
    }
    const placed = await Promise.allSettled(open.map((step) => this.placeOne(step, cloud.snapshot)))
    await this.options.caster.cast(placed.map((each) => (each.status === 'fulfilled' ? each.value : undefined)))
    for (const each of placed) if (each.status === 'rejected') this.options.onError(each.reason)
  }

  private async placeOne(open: OpenStep, snapshot: PlacementSnapshot): Promise<Opened> {
    const request = await this.requestOf(open)
    const first = await this.claimBest(open, request, snapshot)
    if (first !== 'none') return first
    // 'No host' is said only after a fresh read that refuses every one, not on a snapshot that may be out of date.
    for (;;) {
      const fresh = await this.readCloud()
      if (!fresh.hearing) return undefined
      const decision = rank(fresh.snapshot, request, { random: this.options.random })
      if (decision.candidates.length === 0) return await this.refuse(open, decision)
      const claimed = await this.claimBest(open, request, fresh.snapshot)
      if (claimed !== 'none') return claimed
    }
  }

  /** Claims on the best candidate that still has the room. 'none' where no candidate had it. */
  private async claimBest(open: OpenStep, request: PlacementRequest, snapshot: PlacementSnapshot): Promise<Opened | 'none'> {
    for (;;) {
      const decision = rank(snapshot, request, { random: this.options.random })
      const best = decision.candidates[0]
      if (!best) return 'none'
      takeOff(snapshot, best.hostId, request)
      const claimed = await this.claimOn(open, best.hostId, best.fencingEpoch, choose(decision, best.hostId))
      if (claimed !== 'none') {
        if (claimed) this.options.observer.claimed()
        return claimed
      }
      this.options.observer.lost()
      snapshot.remove(best.hostId)
    }
  }

  private async claimOn(open: OpenStep, hostId: HostId, fencingEpoch: number, decision: Decision): Promise<Opened | 'none'> {
    return await this.options.store.transaction(async (tx) => {
      const located = await this.lockOpen(tx, open)
      if (!located) return undefined
      const { server, operation } = located
      const incarnation = await claim(tx.tx, { serverId: server.id, operationId: operation.id, hostId, fencingEpoch, decision })
      if (incarnation === undefined) return 'none'
      return await this.options.engine.done(tx, { ...located, server: { ...server, hostId, incarnation } }, {})
    })
  }

  private async refuse(open: OpenStep, decision: Decision): Promise<Opened> {
    this.options.observer.refused(decision)
    return await this.options.store.transaction(async (tx) => {
      const located = await this.lockOpen(tx, open)
      if (!located) return undefined
      await storeRefusal(tx.tx, located.server.id, located.operation.id, decision)
      return await this.options.engine.failed(tx, located, {
        scope: 'request',
        message: faultMessage(decision, { nameHosts: false }),
      })
    })
  }

  /** Undefined if another scheduler was faster, or the server is to be deleted. */
  private async lockOpen(tx: PgOperationTransaction, open: OpenStep): Promise<Located | undefined> {
    const located = await tx.lockStep(open.step.id)
    const live = located?.step.state === 'open' && located.operation.state === 'running' && located.server.wanted !== 'deleted'
    return live ? located : undefined
  }

  private async requestOf(open: OpenStep): Promise<PlacementRequest> {
    const { server, guest, step, operation } = open
    const tried = step.attempt > 1 ? await this.options.store.readTriedHosts(operation.id) : []
    return {
      vcpus: server.vcpus,
      memoryMiB: server.memoryMiB,
      diskGiB: server.diskGiB,
      ...(guest.image?.architecture ? { architecture: guest.image.architecture } : {}),
      ...(tried.length > 0 ? { excludedHosts: tried } : {}),
    }
  }

  private async readCloud(): Promise<{ hearing: boolean; snapshot: PlacementSnapshot }> {
    const { hearing, hosts } = await readHostSnapshot(this.options.database, this.options.silenceMs)
    return { hearing, snapshot: new PlacementSnapshot(hosts.map(hostSnapshot)) }
  }
}

function hostSnapshot(row: HostSnapshotRow): HostSnapshot {
  return {
    hostId: row.id,
    name: row.name,
    enabled: row.enabled,
    ...(row.disabledReason ? { disabledReason: row.disabledReason } : {}),
    up: row.alive,
    architecture: row.architecture,
    capacity: { vcpus: row.capacityVcpus, memoryMiB: row.capacityMemoryMiB, diskGiB: row.capacityDiskGiB },
    used: { vcpus: row.usedVcpus, memoryMiB: row.usedMemoryMiB, diskGiB: row.usedDiskGiB },
    overheadMiB: row.overheadMiB,
    serverCount: row.serverCount,
    fencingEpoch: row.fencingEpoch,
  }
}
