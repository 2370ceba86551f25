import { rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'

export interface CuttableSocket {
  path: string
  /** Hangs up on everybody, and lets nobody in until `mend`. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** A unix socket at `path` that leads to the one at `target`, and can be cut. */
export async function cuttableSocket(path: string, target: string): Promise<CuttableSocket> {
  const open = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = connect(target)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket)
      socket.pipe(other)
      socket.on('error', () => {})
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
    }
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  const hangUp = () => open.forEach((socket) => socket.destroy())
  return {
    path,
    cut() {
      isCut = true
      hangUp()
    },
    mend() {
      isCut = false
    },
    async close() {
      hangUp()
      await new Promise((resolve) => server.close(resolve))
      await rm(path, { force: true })
    },
  }
}
