import { CommandError, exitCode, LostAnswer } from '../exit.js'
import type { HttpResponse } from './transport.js'

/** A cloud that is restarted is back before the last of them. */
const pausesMs = [500, 1_000, 2_000, 4_000, 8_000]

export interface RepeaterOptions {
  /** The key of the next request that makes something. */
  newKey(): string
  sleep(delayMs: number): Promise<void>
  note(text: string): void
  /** Whether the cloud carries out once what it gets twice under one key; throws where it cannot be asked. */
  honoursKeys(): Promise<boolean>
}

/**
 * Sends what makes something under an Idempotency-Key, and once more under the same where the connection broke before an
 * answer: but only to a cloud that says it honours keys. Another one might make it twice.
 */
export class Repeater {
  constructor(private readonly options: RepeaterOptions) {}

  async send(sendOnce: (headers: Record<string, string>) => Promise<HttpResponse>): Promise<HttpResponse> {
    const headers = { 'idempotency-key': this.options.newKey() }
    try {
      return await sendOnce(headers)
    } catch (error) {
      if (!(error instanceof LostAnswer)) throw error
      return (await this.sendAgain(() => sendOnce(headers))) ?? raise(error)
    }
  }

  /** Undefined where there was no answer to be had. */
  private async sendAgain(send: () => Promise<HttpResponse>): Promise<HttpResponse | undefined> {
    let honoured = false
    for (const pauseMs of pausesMs) {
      await this.options.sleep(pauseMs)
      try {
        if (!honoured && !(await this.options.honoursKeys())) return undefined
        if (!honoured) this.options.note('The connection broke before an answer came: asking again, which makes nothing twice.')
        honoured = true
        const response = await send()
        if (!isToComeAgain(response)) return response
        response.bytes.resume()
      } catch (error) {
        if (!(error instanceof CommandError) || error.code !== exitCode.unreachable) throw error
      }
    }
    return undefined
  }
}

/** The first request is under way still, or the cloud is not up yet. */
const isToComeAgain = ({ status, headers }: HttpResponse) =>
  (status === 409 || status === 503) && headers['retry-after'] !== undefined

function raise(error: unknown): never {
  throw error
}
