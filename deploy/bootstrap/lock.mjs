import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dataFolder } from './place.mjs'
import { Refusal } from './refusal.mjs'

/**
 * Takes a lock of the clone's: a child holds it through flock(1) and ends with its input, so that the kernel gives it back
 * however we end. Gives what gives it back sooner. Refuses while another command has it.
 */
export async function takeLock(command, name = 'lock') {
  const file = join(dataFolder, name)
  const holder = spawn('flock', ['--nonblock', '--conflict-exit-code', '75', file, 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // Of its own group, so that Ctrl-C reaches us first and the lock is held until we are done.
    detached: true,
  })
  const taken = await new Promise((resolve, reject) => {
    holder.once('error', reject)
    holder.once('exit', () => resolve(false))
    holder.stdout.once('data', () => resolve(true))
  })
  if (!taken) {
    throw new Refusal(
      `\`${readFileSync(file, 'utf8').trim()}\` is at work in this clone: wait for its end, or stop it, and run this again.`,
    )
  }
  writeFileSync(file, `npm run ${command} (process ${process.pid})\n`)
  for (const handle of [holder, holder.stdin, holder.stdout]) handle.unref()
  return () => holder.stdin.end()
}
