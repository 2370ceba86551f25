import { Inject, Injectable } from '@nestjs/common'
import {
  CASTER,
  DATABASE,
  ENGINE,
  Examiner,
  OPERATION_STORE,
  QUEUE,
  repair,
  type Examination,
  type RepairOutcome,
} from '@nubo/control-plane'
import { placementQueue } from '@nubo/contract'
import type { Database, Finding, PgOperationStore } from '@nubo/database'
import type { Clock, RequestId } from '@nubo/kernel'
import type { Queue } from '@nubo/queue'
import { CLOCK, LOGGER, type Logger } from '@nubo/service-kit'
import type { Caster, OperationEngine } from '@nubo/workflow'

/** A finding, and what came of it where it was to be mended. */
export type Told = Finding & { outcome?: RepairOutcome }

export interface ToldExamination extends Examination {
  findings: Told[]
}

@Injectable()
export class DoctorService {
  private readonly examiner: Examiner

  constructor(
    @Inject(DATABASE) database: Database,
    @Inject(QUEUE) queue: Queue,
    @Inject(CLOCK) clock: Clock,
    @Inject(OPERATION_STORE) private readonly store: PgOperationStore,
    @Inject(ENGINE) private readonly engine: OperationEngine,
    @Inject(CASTER) private readonly caster: Caster,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    // What hosts report is the conductors' to read: their reconciler looks at that queue.
    this.examiner = new Examiner({ database, queue, clock, queues: [placementQueue] })
  }

  async examine(): Promise<ToldExamination> {
    return await this.examiner.examine()
  }

  /** Mends what may be mended of what is found now, one after the other: a repair that fails keeps none of the others back. */
  async repair(requestId: RequestId): Promise<ToldExamination> {
    const examination = await this.examiner.examine()
    const findings: Told[] = []
    for (const finding of examination.findings) findings.push({ ...finding, outcome: await this.mend(finding, requestId) })
    return { ...examination, findings }
  }

  private async mend(finding: Finding, requestId: RequestId): Promise<RepairOutcome> {
    const { store, engine, caster, logger } = this
    try {
      const outcome = await repair(finding, { store, engine, caster, newRequestId: () => requestId })
      logger.info({ code: finding.code, ...finding.about, ...outcome }, 'doctor')
      return outcome
    } catch (error) {
      logger.error({ err: error, code: finding.code, ...finding.about }, 'a finding could not be mended')
      return { mended: false, message: 'It could not be mended: the log of the api says why.' }
    }
  }
}
