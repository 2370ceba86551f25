import { Module } from '@nestjs/common'
import { ControlPlaneModule, DATABASE } from '@nubo/control-plane'
import { countKeptAnswers, findKeptAnswer, type Database } from '@nubo/database'
import type { RequestKey } from '@nubo/kernel'
import { KeptAnswers } from '@nubo/service-kit'
import { ComputeModule } from './compute/compute.module.js'
import { IdentityModule } from './identity/identity.module.js'
import { NetworkModule } from './network/network.module.js'
import { NuboModule } from './nubo/nubo.module.js'
import { OverloadModule } from './overload/overload.module.js'

const keptAnswers = {
  provide: KeptAnswers,
  inject: [DATABASE],
  useFactory: (database: Database): KeptAnswers => ({
    find: (key: RequestKey) => findKeptAnswer(database, key),
    count: (scope: string) => countKeptAnswers(database, scope),
  }),
}

@Module({
  imports: [
    ControlPlaneModule.with({ queueNeeded: false }),
    OverloadModule,
    IdentityModule,
    ComputeModule,
    NetworkModule,
    NuboModule,
  ],
  providers: [keptAnswers],
})
export class AppModule {}
