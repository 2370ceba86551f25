import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common'
import { CloudError } from '@nubo/kernel'
import { commonStatuses, faultOf, InputError, plainInputMessage, unroutedMessage, WireError, type ErrorStyle } from '@nubo/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { KeptAnswers } from '../kept-answers.js'
import type { Logger } from '../logger.js'
import { replayAfterFailure } from './replay.js'

/** The one place where errors become answers: a status by the surface's map, a body in its style, one line in the log. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly answers: () => KeptAnswers,
  ) {}

  catch(exception: unknown, host: ArgumentsHost): void {
    const [request, reply] = host.getArgs<[FastifyRequest, FastifyReply]>()
    if (!request.requestKey) return answer(exception, request, reply, this.logger)
    replayAfterFailure(request, reply, this.answers())
      .then((isAnswered) => isAnswered || answer(exception, request, reply, this.logger))
      .catch(() => reply.raw.destroy())
  }
}

/** Ours for paths that belong to no API: health. */
const plainStyle = {
  render: (fault: { status: number; message: string; headers: Record<string, string> }) => ({
    status: fault.status,
    headers: fault.headers,
    contentType: 'application/json',
    body: JSON.stringify({ error: { code: fault.status, message: fault.message } }),
  }),
}

/** Answers `exception`; outside of Nest's own layers for what Fastify refuses before any route is found. */
export function answer(exception: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const { surface, requestId } = request
  const { error, outside } = translate(exception, request)
  const fields = request.fields ?? {}
  if (reply.sent || reply.raw.headersSent) {
    // The answer is under way: all that is left is to break it off, so that the client does not take it for whole.
    logger.warn({ ...fields, err: exception }, 'failed while answering')
    reply.raw.destroy()
    return
  }
  const style = surface?.errors
  const fault = style ? faultOf(error, style, requestId) : bareFault(error, requestId)
  if (fault.status >= 500)
    logger.error(
      { ...fields, err: exception, status: fault.status, method: request.method, path: request.url.split('?', 1)[0] },
      'request failed',
    )
  request.failure = fault.message
  const rendered = style
    ? style.render(fault, { requestId, accept: request.headers.accept, identityUrl: surface.identityUrl, unrouted: outside })
    : plainStyle.render(fault)
  reply.code(rendered.status).headers(rendered.headers).type(rendered.contentType)
  // Text that is ready: no serializer shall make JSON of it once more.
  reply.serializer((payload: unknown) => payload as string).send(request.method === 'HEAD' ? undefined : rendered.body)
}

const bareFault = (error: unknown, requestId: string) =>
  faultOf(error, { statuses: commonStatuses, bug: (id) => `Internal error ${id}` }, requestId)

interface Translated {
  error: unknown
  /** True for what the real services' routers and middleware answer, before the service itself is asked. */
  outside: boolean
}

/** Errors of Fastify and Nest in our own terms, and ours in the words of the surface that was asked. */
function translate(exception: unknown, request: FastifyRequest): Translated {
  const style = request.surface?.errors
  if (exception instanceof InputError)
    return { error: new CloudError('Invalid', style ? style.input(exception) : plainInputMessage(exception)), outside: false }
  if (exception instanceof CloudError) return { error: worded(exception, style), outside: false }
  if (exception instanceof HttpException && exception.getStatus() === 404)
    return { error: new CloudError('NotFound', unroutedMessage), outside: true }
  // Nest wraps some of Fastify's errors into its own.
  const code = codeOf(exception) ?? codeOf((exception as { cause?: unknown } | null)?.cause)
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return { error: new CloudError('TooLarge', 'Request is too large.'), outside: true }
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return {
        error: style?.body('media-type') ?? new CloudError('UnsupportedMedia', 'Unsupported Content-Type'),
        outside: false,
      }
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'ECONNRESET':
      return { error: style?.body('syntax') ?? new CloudError('Invalid', 'Malformed request body'), outside: false }
    case 'FST_ERR_BAD_URL':
      return { error: new CloudError('Invalid', 'The URL is malformed.'), outside: true }
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return { error: new CloudError('NotFound', unroutedMessage), outside: true }
  }
  if (exception instanceof HttpException) return { error: new WireError(exception.getStatus(), exception.message), outside: true }
  return { error: exception, outside: false }
}

const codeOf = (error: unknown) => (error as { code?: unknown } | null | undefined)?.code

/** A refused policy in the words of the service: Nova and Keystone each have their own. */
function worded(error: CloudError, style: ErrorStyle | undefined): CloudError {
  const denied = error.kind === 'Forbidden' ? error.details['policy'] : undefined
  if (typeof denied !== 'string' || !style || error instanceof WireError) return error
  return new CloudError('Forbidden', style.denied(denied), { cause: error })
}
