import type { World } from '../world.js'
import { cut, humanDuration, printable } from './text.js'

/** Tells a person that something goes on: one line that is rewritten on a terminal, a line a change elsewhere. */
export interface Progress {
  /** `text` says how far it is; the time is added. */
  report(text: string): void
  /** Takes the live line away, so that the result stands alone. */
  end(): void
}

const silent: Progress = { report: () => undefined, end: () => undefined }

/** Progress goes to stderr: stdout belongs to the result. */
export function startProgress(world: World, quiet: boolean | undefined): Progress {
  if (quiet) return silent
  return world.stderr.isTerminal ? liveLine(world) : lineAChange(world)
}

const frames = ['|', '/', '-', '\\']

function liveLine(world: World): Progress {
  const startedMs = world.monotonicMs()
  let frame = 0
  return {
    report(text) {
      frame = (frame + 1) % frames.length
      const line = `${frames[frame]} ${printable(text)}  ${humanDuration(world.monotonicMs() - startedMs)}`
      world.stderr.write(`\r\u001b[2K${cut(line, (world.stderr.columns ?? 80) - 1)}`)
    },
    end: () => void world.stderr.write('\r\u001b[2K'),
  }
}

function lineAChange(world: World): Progress {
  const startedMs = world.monotonicMs()
  let last: string | undefined
  return {
    report(text) {
      if (text === last) return
      last = text
      world.stderr.write(`${printable(text)} (${humanDuration(world.monotonicMs() - startedMs)})\n`)
    },
    end: () => undefined,
  }
}

const redrawEveryMs = 100

/** A terminal is not redrawn for every 64 KiB. */
export function throttled(world: World, report: (totalBytes: number) => void): (totalBytes: number) => void {
  let lastMs = -Infinity
  return (totalBytes) => {
    const nowMs = world.monotonicMs()
    if (nowMs - lastMs < redrawEveryMs) return
    lastMs = nowMs
    report(totalBytes)
  }
}
