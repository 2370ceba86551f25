import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Clock } from '@nubo/kernel'
import { KeptService } from './kept-service.js'
import { rotateLogs } from './log-rotation.js'
import type { ServiceSpecification, SupervisorAnswer, SupervisorRecord, SupervisorRequest } from './protocol.js'

const rotateEveryMs = 30_000

export interface SupervisorOptions {
  /** Where its socket and its record are. */
  directory: string
  logDirectory: string
  clock: Clock
}

/**
 * Keeps an installation's services running. It has no part in what they do: when it is killed they go on, and the next one
 * takes them over from its record.
 */
export class Supervisor {
  private readonly services = new Map<string, KeptService>()
  private server: Server | undefined
  /** Requests are done one after another. */
  private queue: Promise<unknown> = Promise.resolve()
  private end: () => void = () => {}

  constructor(private readonly options: SupervisorOptions) {}

  /** Takes over what is there, serves its socket, and settles when it was told to shut down or to leave. */
  async run(): Promise<void> {
    this.takeOver()
    const ended = new Promise<void>((resolve) => (this.end = resolve))
    const rotation = this.rotate()
    this.server = createServer({ allowHalfOpen: true }, (socket) => this.serve(socket))
    rmSync(this.socketFile, { force: true })
    const before = process.umask(0o077)
    await new Promise<void>((resolve, reject) => this.server!.once('error', reject).listen(this.socketFile, resolve))
    process.umask(before)
    await ended
    rotation.cancel()
    this.server.close()
    rmSync(this.socketFile, { force: true })
  }

  async answer(request: SupervisorRequest): Promise<SupervisorAnswer> {
    switch (request.verb) {
      case 'ensure':
        await this.ensure(request.service)
        break
      case 'restart':
        await this.find(request.name).restart()
        break
      case 'stop':
        await this.services.get(request.name)?.stop()
        this.services.delete(request.name)
        this.save()
        break
      case 'shutDown':
        for (const service of [...this.services.values()].toReversed()) await service.stop()
        this.services.clear()
        this.save()
        break
      case 'status':
        break
      case 'leave':
        for (const service of this.services.values()) service.leave()
        break
    }
    return { ok: true, services: [...this.services.values()].map((service) => service.status()) }
  }

  private async ensure(specification: ServiceSpecification): Promise<void> {
    const known = this.services.get(specification.name)
    if (known) return await known.ensure(specification)
    this.keep(specification).adopt(undefined)
  }

  private keep(specification: ServiceSpecification): KeptService {
    const service = new KeptService(specification, this.options.clock, () => this.save())
    this.services.set(specification.name, service)
    return service
  }

  private find(name: string): KeptService {
    const service = this.services.get(name)
    if (!service) throw new Error(`there is no service ${name}`)
    return service
  }

  private takeOver(): void {
    if (!existsSync(this.recordFile)) return
    const record: SupervisorRecord = JSON.parse(readFileSync(this.recordFile, 'utf8'))
    for (const { specification, process } of record.services) this.keep(specification).adopt(process)
  }

  private save(): void {
    const record: SupervisorRecord = { services: [...this.services.values()].map((service) => service.record) }
    writeFileSync(`${this.recordFile}.new`, JSON.stringify(record), { mode: 0o600 })
    renameSync(`${this.recordFile}.new`, this.recordFile)
  }

  private serve(socket: Socket): void {
    let text = ''
    socket.on('error', () => {})
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.on('end', () => {
      const request = JSON.parse(text) as SupervisorRequest
      this.queue = this.queue.then(async () => {
        const answer = await this.answer(request).catch((error: Error): SupervisorAnswer => ({ ok: false, error: error.message }))
        socket.end(JSON.stringify(answer), () => {
          if (request.verb === 'shutDown' || request.verb === 'leave') this.end()
        })
      })
    })
  }

  private rotate() {
    const { clock, logDirectory } = this.options
    let timer = clock.after(rotateEveryMs, turn)
    function turn() {
      rotateLogs(logDirectory)
      timer = clock.after(rotateEveryMs, turn)
    }
    return { cancel: () => timer.cancel() }
  }

  private get socketFile(): string {
    return join(this.options.directory, 'supervisor.sock')
  }

  private get recordFile(): string {
    return join(this.options.directory, 'services.json')
  }
}
