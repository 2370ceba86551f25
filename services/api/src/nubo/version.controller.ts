import { Controller, Get } from '@nestjs/common'
import { BaseUrl, Public } from '@nubo/service-kit'

/** Tells clients that this cloud has what is ours, beside OpenStack's API. */
@Controller('nubo/v1')
export class NuboVersionController {
  @Get()
  @Public()
  show(@BaseUrl() baseUrl: string) {
    return {
      version: {
        id: 'v1',
        status: 'CURRENT',
        links: [{ rel: 'self', href: `${baseUrl}/nubo/v1` }],
        // So that a client knows, before it needs to, that it may repeat a request whose answer was lost.
        idempotency_keys: { header: 'Idempotency-Key', kept_hours: 24 },
      },
    }
  }
}
