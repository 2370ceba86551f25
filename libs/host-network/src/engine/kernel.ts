import type { Change } from './difference.js'
import type { KernelObject, SettingObject } from './objects.js'
import type { Problem } from './refusals.js'
import type { TableChanges } from './table-difference.js'
import type { Chain, NamedSet, Table } from './tables.js'

/** What of ours is in the kernel, and the links of others that a port of ours may be. */
export interface KernelState {
  objects: Map<string, KernelObject>
  /** A rule stands here as its mark. */
  tables: Map<string, OpenTable>
}

/** A table whose contents may be noted otherwise. */
export interface OpenTable extends Table {
  chains: Map<string, Chain & { rules: string[] }>
  sets: Map<string, NamedSet & { elements: Map<string, string> }>
}

export interface KernelChanges {
  objects: readonly Change[]
  tables: readonly TableChanges[]
}

/** A kernel's networks. */
export interface Kernel {
  /**
   * @param settings of which the values are wanted: there are too many to read them all.
   * @throws `Unavailable` where it could not be read.
   */
  read(settings: readonly SettingObject[]): Promise<KernelState>
  /**
   * Makes the changes, in a handful of commands, and goes on where one cannot be made. New filters are in force before any
   * link is made or altered.
   * @returns what could not be done; nothing where all is done.
   */
  change(changes: KernelChanges): Promise<Problem[]>
}
