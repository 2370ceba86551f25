import { readFileSync, statfsSync } from 'node:fs'
import { clone } from './place.mjs'
import { Refusal } from './refusal.mjs'
import { lastWords, run } from './run.mjs'

const gib = 2 ** 30
const diskNeededGiB = 3

/** Refuses a machine on which the clone has no room to grow. */
export function checkDisk() {
  const disk = statfsSync(clone)
  const freeGiB = (disk.bavail * disk.bsize) / gib
  if (freeGiB < diskNeededGiB) {
    throw new Refusal(
      `${freeGiB.toFixed(1)} GiB of disk are free under ${clone} and ${diskNeededGiB} GiB are needed: make room and run this again.`,
    )
  }
}

/** The system user that everything runs as that needs no root. */
export async function makeServiceUser() {
  if (/^nubo:/m.test(readFileSync('/etc/passwd', 'utf8'))) return
  const args = [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    '/usr/sbin/nologin',
    'nubo',
  ]
  const made = await run('useradd', args, { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } })
  if (made.code !== 0) throw new Refusal(`cannot add the system user nubo: ${lastWords(made.output)}`)
}
