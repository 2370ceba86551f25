import { Injectable, UseInterceptors, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import { tap, type Observable } from 'rxjs'
import { HostsHint } from './hosts-hint.js'

@Injectable()
class HintAfterChange implements NestInterceptor {
  constructor(private readonly hint: HostsHint) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { method } = context.switchToHttp().getRequest<{ method: string }>()
    if (method === 'GET' || method === 'HEAD') return next.handle()
    return next.handle().pipe(tap({ complete: () => this.hint.cast() }))
  }
}

/** Of a route or a controller: what it changes may concern the networks of hosts, which are told when it is through. */
export const ChangesHosts = () => UseInterceptors(HintAfterChange)
