import { systemClock, type ServerId } from '@nubo/kernel'
import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { GuestDefinition } from '../guest-definition.js'
import { eventually } from './eventually.js'
import { testGuest } from './test-guest.js'

const run = promisify(execFile)

/** An overlay on the test guest's boot sector. `directory`: one that QEMU's user can pass through. */
export async function prepareTestGuest(directory: string, serverId: ServerId): Promise<Pick<GuestDefinition, 'disks'>> {
  const base = join(directory, 'test-guest.raw')
  await writeFile(base, Buffer.concat([testGuest, Buffer.alloc(65_536 - testGuest.length)]))
  const path = join(directory, `${serverId}.qcow2`)
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, path, '16M'])
  return { disks: [{ path, format: 'qcow2', backing: { path: base, format: 'raw' } }] }
}

/** Writes to a guest's serial console and resolves when it answered with `expected`. */
export async function talk(socketPath: string, letters: string, expected: string | undefined, withinMs = 60_000): Promise<void> {
  const socket = connect(socketPath)
  let heard = ''
  socket.on('data', (bytes) => (heard = (heard + bytes.toString('latin1')).slice(-1000)))
  socket.on('error', () => socket.destroy())
  const giveUpMs = systemClock.monotonicMs() + withinMs
  try {
    socket.write(letters)
    while (expected !== undefined && !heard.includes(expected)) {
      if (systemClock.monotonicMs() > giveUpMs || socket.destroyed) throw new Error(`the guest did not answer: ${heard}`)
      await systemClock.sleep(20)
    }
  } finally {
    if (expected === undefined) await eventually(() => socket.writableLength === 0)
    socket.end()
  }
}

/** The process that runs a guest: its number, its user, its command line. */
export async function qemuProcess(serverId: ServerId): Promise<{ pid: number; uid: number; commandLine: string[] }> {
  for (const name of (await readdir('/proc')).filter((each) => /^[0-9]+$/.test(each))) {
    const commandLine = (await readFile(`/proc/${name}/cmdline`, 'latin1').catch(() => '')).split('\0')
    if (!commandLine[0]?.includes('qemu-system') || !commandLine.includes(serverId)) continue
    const status = await readFile(`/proc/${name}/status`, 'latin1')
    return { pid: Number(name), uid: Number(/^Uid:\s+(\d+)/m.exec(status)![1]), commandLine }
  }
  throw new Error(`no process runs ${serverId}`)
}
