import { EventEmitter } from 'node:events'
import type { PGlite } from '@electric-sql/pglite'
import { parse } from 'pg-protocol'

type Heard = Parameters<Parameters<typeof parse>[1]>[0]

/**
 * PGlite's wire, with node-postgres' reader at its end. PGlite's own way in reads every answer a second time and keeps it,
 * which for short statements costs as much as carrying them out.
 */
export class Wire {
  /** What time PostgreSQL reads while it works: in this process it asks `Date`. */
  nowMs = Date.UTC(2026, 0, 1)
  private question: Uint8Array = new Uint8Array()
  private taken = 0
  private readonly answers = new EventEmitter()
  private heard: Heard[] = []
  private readonly module: PGlite['Module']

  constructor(pglite: PGlite) {
    const module = (this.module = pglite.Module)
    const read = module.addFunction((to, most) => this.read(to as number, most), 'iii')
    const write = module.addFunction((from, length) => this.write(from as number, length), 'iii')
    module._pgl_set_rw_cbs(read, write)
    void parse(this.answers as unknown as NodeJS.ReadableStream, (message) => this.heard.push(message))
  }

  /** Puts messages to PostgreSQL and returns its own, at once. */
  exchange(question: Uint8Array): Heard[] {
    this.question = question
    this.taken = 0
    this.heard = []
    const giveBack = this.takeClock()
    try {
      while (this.taken < question.length || this.module._pq_buffer_remaining_data() > 0) this.turn()
    } finally {
      this.module._PostgresSendReadyForQueryIfNecessary()
      this.module._pgl_pq_flush()
      giveBack()
    }
    return this.heard
  }

  /** PostgreSQL reads no other clock, and sets no alarm that would ring in real time: its own are about statistics. */
  private takeClock(): () => void {
    const { now } = Date
    const { setTimeout } = globalThis
    Date.now = () => this.nowMs
    globalThis.setTimeout = (() => undefined) as unknown as typeof setTimeout
    return () => {
      Date.now = now
      globalThis.setTimeout = setTimeout
    }
  }

  /** One turn of PostgreSQL's main loop. It leaves by an exception where in C it would jump, and has told of its error by then. */
  private turn(): void {
    try {
      this.module._PostgresMainLoopOnce()
    } catch {
      this.module._PostgresMainLongJmp()
    }
  }

  private read(to: number, most: number): number {
    const length = Math.min(this.question.length - this.taken, most)
    this.module.HEAPU8.set(this.question.subarray(this.taken, this.taken + length), to)
    this.taken += length
    return length
  }

  private write(from: number, length: number): number {
    this.answers.emit('data', Buffer.from(this.module.HEAPU8.subarray(from, from + length)))
    return length
  }
}
