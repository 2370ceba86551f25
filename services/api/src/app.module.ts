import { Module } from '@nestjs/common'
import { ControlPlaneModule } from '@nubo/control-plane'
import { ComputeModule } from './compute/compute.module.js'
import { IdentityModule } from './identity/identity.module.js'
import { NuboModule } from './nubo/nubo.module.js'

@Module({ imports: [ControlPlaneModule.with(), IdentityModule, ComputeModule, NuboModule] })
export class AppModule {}
