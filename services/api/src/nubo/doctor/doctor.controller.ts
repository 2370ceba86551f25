import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common'
import { CurrentRequestId, Guarded, NotIdempotent } from '@nubo/service-kit'
import type { RequestId } from '@nubo/kernel'
import { z } from 'zod'
import { examinePolicy, repairPolicy } from './doctor.policies.js'
import { DoctorService } from './doctor.service.js'
import { examinationView } from './doctor.views.js'

/** Everything that can be mended is: there is nothing to choose yet. */
const repairBody = z.strictObject({}).optional()

/** Every promise of docs/promises.md, held against the live cloud. */
@Controller('nubo/v1/doctor')
export class DoctorController {
  constructor(private readonly doctor: DoctorService) {}

  @Get()
  @Guarded(examinePolicy)
  async examine() {
    return { doctor: examinationView(await this.doctor.examine()) }
  }

  @Post('repair')
  @HttpCode(200)
  @Guarded(repairPolicy)
  @NotIdempotent('a repair looks anew, and mends what is found then')
  async repair(@Body({ schema: repairBody }) _body: unknown, @CurrentRequestId() requestId: RequestId) {
    return { doctor: examinationView(await this.doctor.repair(requestId)) }
  }
}
