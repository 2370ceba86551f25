import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import type { FastifyRequest } from 'fastify'
import { baseUrlOf } from './http/hooks.js'

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>()

/** Who asks: a `Caller`. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext) => requestOf(context).caller)

/** `http://host:port` as the client knows us. */
export const BaseUrl = createParamDecorator((_: unknown, context: ExecutionContext) => baseUrlOf(requestOf(context)))

/** The id of this request, 'req-<uuid>'. */
export const CurrentRequestId = createParamDecorator((_: unknown, context: ExecutionContext) => requestOf(context).requestId)

/** The `RequestKey` of a request that its client may repeat; undefined where it gave no Idempotency-Key. */
export const CurrentRequestKey = createParamDecorator((_: unknown, context: ExecutionContext) => requestOf(context).requestKey)

/** Minor number of the microversion: for the few rules that no transform of requests and answers can say. */
export const ApiVersion = createParamDecorator((_: unknown, context: ExecutionContext) => requestOf(context).microversion)
