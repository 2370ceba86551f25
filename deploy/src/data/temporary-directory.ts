import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Account } from '../process/account.js'

/** A folder for a private program: the caller's own, or a new one that `remove` takes away again. */
export class TemporaryDirectory {
  readonly path: string
  private readonly isOurs: boolean

  constructor(prefix: string, given: string | undefined, owner: Account | undefined) {
    this.isOurs = given === undefined
    this.path = given ?? mkdtempSync(join(tmpdir(), prefix))
    mkdirSync(this.path, { recursive: true, mode: 0o700 })
    if (owner) chownSync(this.path, owner.uid, owner.gid)
  }

  remove(): void {
    if (this.isOurs) rmSync(this.path, { recursive: true, force: true })
  }
}
