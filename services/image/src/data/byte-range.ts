import { WireError } from '@nubo/wire'

/** A part of a file: from `start` up to, but without, `end`. */
export interface ByteRange {
  start: number
  end: number
}

/**
 * The part that a Range header asks for (RFC 9110 §14.2), as Glance answers it: one range alone (else 400), 416 for what is no
 * range or begins behind the end. Undefined asks for everything.
 */
export function byteRangeOf(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  if (header === undefined) return undefined
  if (header.includes(',')) {
    throw new WireError(
      400,
      'Requests with multiple ranges are not supported in Glance. You may make multiple single-range requests instead.',
    )
  }
  const [, from, to] = /^bytes\s*=\s*(\d*)\s*-\s*(\d*)$/i.exec(header.trim()) ?? []
  if (from === undefined || (from === '' && to === '')) throw unsatisfiable('Invalid Range header.', sizeBytes)
  if (from === '') return suffix(Number(to), sizeBytes)
  const start = Number(from)
  const end = to === '' ? sizeBytes : Math.min(Number(to) + 1, sizeBytes)
  if (to !== '' && Number(to) < start) throw unsatisfiable('Invalid Range header.', sizeBytes)
  if (start >= sizeBytes) {
    const message = `Invalid start position in Range header. Start position MUST be in the inclusive range [0, ${sizeBytes - 1}].`
    throw unsatisfiable(message, sizeBytes)
  }
  return { start, end }
}

/** The last `bytes` of a file. */
function suffix(bytes: number, sizeBytes: number): ByteRange {
  if (bytes === 0 || sizeBytes === 0) throw unsatisfiable('Invalid Range header.', sizeBytes)
  return { start: Math.max(0, sizeBytes - bytes), end: sizeBytes }
}

function unsatisfiable(message: string, sizeBytes: number): WireError {
  return new WireError(416, message, { headers: { 'Content-Range': `bytes */${sizeBytes}` } })
}
