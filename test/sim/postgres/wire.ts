import { EventEmitter } from 'node:events'
import type { PGlite } from '@electric-sql/pglite'
import { parse } from 'pg-protocol'

type Heard = Parameters<Parameters<typeof parse>[1]>[0]

/** Messages to PostgreSQL, and what time it reads while it works on them. */
export interface Question {
  messages: Uint8Array
  nowMs: number
}

const neverRings = (() => undefined) as unknown as typeof setTimeout

/**
 * PGlite's wire, with node-postgres' reader at its end. PGlite's own way in reads every answer a second time and keeps it,
 * which for short statements costs as much as carrying them out.
 */
export class Wire {
  /** What time PostgreSQL reads: in this process it asks `Date`. */
  private nowMs = 0
  private readonly readNow = () => this.nowMs
  private questions: readonly Question[] = []
  private asked = 0
  /** Of the question that is asked next. */
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

  /** Puts questions to PostgreSQL, one after the other, and returns what it says to all of them, at once. */
  exchange(questions: readonly Question[]): Heard[] {
    this.questions = questions
    this.asked = 0
    this.taken = 0
    this.heard = []
    const { now } = Date
    const { setTimeout } = globalThis
    // PostgreSQL reads no other clock, and sets no alarm that would ring in real time: its own are about statistics.
    Date.now = this.readNow
    globalThis.setTimeout = neverRings
    try {
      while (this.asked < questions.length || this.module._pq_buffer_remaining_data() > 0) this.turn()
    } finally {
      this.module._PostgresSendReadyForQueryIfNecessary()
      this.module._pgl_pq_flush()
      Date.now = now
      globalThis.setTimeout = setTimeout
    }
    return this.heard
  }

  /** One turn of PostgreSQL's main loop. It leaves by an exception where in C it would jump, and has told of its error by then. */
  private turn(): void {
    try {
      this.module._PostgresMainLoopOnce()
    } catch {
      this.module._PostgresMainLongJmp()
    }
  }

  /** PostgreSQL asks for more when it is done with what it was given: each question comes at its own time. */
  private read(to: number, most: number): number {
    const question = this.questions[this.asked]
    if (!question) return 0
    const { messages, nowMs } = question
    this.nowMs = nowMs
    const length = Math.min(messages.length - this.taken, most)
    this.module.HEAPU8.set(
      this.taken === 0 && length === messages.length ? messages : messages.subarray(this.taken, this.taken + length),
      to,
    )
    this.taken += length
    if (this.taken === messages.length) {
      this.asked++
      this.taken = 0
    }
    return length
  }

  private write(from: number, length: number): number {
    this.answers.emit('data', Buffer.from(this.module.HEAPU8.subarray(from, from + length)))
    return length
  }
}
