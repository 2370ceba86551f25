import { readFileSync } from 'node:fs'

/** A user of the machine, as programs are started under. */
export interface Account {
  name: string
  uid: number
  gid: number
  home: string
}

/** The account's line in /etc/passwd, or undefined. */
export function findAccount(name: string, passwd = readFileSync('/etc/passwd', 'utf8')): Account | undefined {
  return accounts(passwd).find((account) => account.name === name)
}

/** The system user under which everything runs that needs no root. */
export const serviceUser = 'nubo'

/**
 * Whom unprivileged programs run as: the system user `nubo`, where `up` or `test` made it, else `nobody`. Undefined when we
 * are not root: then they run as ourselves.
 */
export function unprivilegedAccount(): Account | undefined {
  if (process.getuid!() !== 0) return undefined
  const account = findAccount(serviceUser) ?? findAccount('nobody')
  if (!account) throw new Error('this machine has neither a user nubo nor nobody: add one with useradd --system nubo')
  return account
}

function accounts(passwd: string): Account[] {
  return passwd.split('\n').flatMap((line) => {
    const [name, , uid, gid, , home] = line.split(':')
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid), home: home || '/' }] : []
  })
}
