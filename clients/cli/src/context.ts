import { Compute } from './cloud/compute.js'
import { loadConfiguration, type CloudConfiguration, type Flags } from './cloud/configuration.js'
import { Images } from './cloud/images.js'
import { NetworkService } from './cloud/network-service.js'
import { Session } from './cloud/session.js'
import { Transport } from './cloud/transport.js'
import { usageError } from './exit.js'
import { styleFor } from './output/style.js'
import { detailTable, listTable } from './output/table.js'
import { printable } from './output/text.js'
import { toJson, type Json, type View } from './output/view.js'
import type { World } from './world.js'

/** The options that every command takes. */
export interface GlobalOptions {
  json?: boolean
  quiet?: boolean
  columns?: string[]
  debug?: boolean
  /** What the commands that create are given, to make nothing twice when they are run again. */
  idempotencyKey?: string
  /** In OpenStack's names: cloud, auth_url, region_name ... */
  flags: Flags
}

/** What a command works with: the world, the options, the cloud (opened when first asked for) and the ways to print. */
export class CommandContext {
  options: GlobalOptions = { flags: {} }
  private openTransport: Transport | undefined
  private openSession: Session | undefined
  private openCompute: Compute | undefined

  constructor(readonly world: World) {}

  configuration(): CloudConfiguration {
    return loadConfiguration(this.world, this.options.flags)
  }

  session(): Session {
    return (this.openSession ??= this.open())
  }

  compute(): Compute {
    return (this.openCompute ??= new Compute(this.session()))
  }

  networks(): NetworkService {
    return new NetworkService(this.session())
  }

  images(): Images {
    return new Images(this.session())
  }

  close(): void {
    this.openTransport?.close()
  }

  private open(): Session {
    const configuration = this.configuration()
    for (const warning of configuration.warnings) this.note(`warning: ${warning}`)
    this.openTransport = new Transport({
      ...configuration,
      environment: this.world.environment,
      debug: this.options.debug ? (line) => this.world.stderr.write(`${printable(line)}\n`) : undefined,
    })
    return new Session(configuration, this.openTransport, (question) => this.world.askSecret(question), {
      newKey: () => this.options.idempotencyKey ?? this.world.newKey(),
      sleep: (delayMs) => this.world.sleep(delayMs),
      note: (text) => this.note(text),
    })
  }

  /** Prints many: a table, with --json an array, with --quiet the ids, one a line. */
  printList<Row>(view: View<Row>, rows: readonly Row[], kind: string): void {
    const { json, quiet } = this.options
    const identity = view[0]!
    if (json) return this.printJson(rows.map((row) => toJson(this.chosen(view) ?? view, row)))
    const chosen = this.chosen(view) ?? view.filter((column) => column.listed)
    if (quiet) return this.print(rows.map((row) => `${String(identity.value(row))}\n`).join(''))
    if (rows.length === 0) return this.note(`No ${kind}.`)
    this.print(listTable(chosen, rows, this.style(), this.world.stdout.columns))
  }

  /** Prints one: a line a property, with --json an object, with --quiet the id. */
  printOne<Row>(view: View<Row>, row: Row): void {
    const { json, quiet } = this.options
    const chosen = this.chosen(view) ?? view
    if (json) return this.printJson(toJson(chosen, row))
    if (quiet) return this.print(`${String(view[0]!.value(row))}\n`)
    this.print(detailTable(chosen, row, this.style(), this.world.stdout.columns))
  }

  printJson(value: Json): void {
    this.print(`${JSON.stringify(value, null, 2)}\n`)
  }

  /** Text as it is; what comes from the cloud must have been made printable. */
  print(text: string): void {
    this.world.stdout.write(text)
  }

  /** A word to the person, beside the result and not in its way; silent with --quiet. */
  note(text: string): void {
    if (!this.options.quiet) this.world.stderr.write(`${printable(text)}\n`)
  }

  private style() {
    return styleFor(this.world.stdout, this.world.environment)
  }

  private chosen<Row>(view: View<Row>): View<Row> | undefined {
    return this.options.columns?.map((key) => {
      const column = view.find((candidate) => candidate.key === key)
      if (column) return column
      throw usageError(`There is no column '${key}': there are ${view.map((candidate) => candidate.key).join(', ')}`)
    })
  }
}
