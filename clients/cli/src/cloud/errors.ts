import { CommandError, exitCode, type ExitCode } from '../exit.js'
import { printable } from '../output/text.js'
import type { HttpResponse } from './transport.js'

/** Turns an answer that is not a success into the error that ends the command: the cloud's own words and the request's id. */
export async function refusal(response: HttpResponse, doing: string): Promise<CommandError> {
  const said = messageIn(await response.text().catch(() => ''), String(response.headers['content-type'] ?? ''))
  return new CommandError(codeFor(response.status), said ?? `${doing} failed`, {
    status: response.status,
    requestId: header(response, 'x-openstack-request-id') ?? header(response, 'x-compute-request-id'),
  })
}

function codeFor(status: number): ExitCode {
  if (status === 404) return exitCode.notFound
  if (status === 401 || status === 403) return exitCode.notAllowed
  return exitCode.cloudError
}

function header(response: HttpResponse, name: string): string | undefined {
  const value = response.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/**
 * The message in an error body, in any of the services' shapes: Keystone `{error: {message}}`, Nova and Cinder
 * `{itemNotFound: {message}}`, Neutron `{NeutronError: {message}}`, Placement `{errors: [{detail}]}`, Glance HTML or text.
 */
export function messageIn(body: string, contentType: string): string | undefined {
  const text = contentType.includes('html') ? textOfHtml(body) : (messageInJson(body) ?? '')
  // Glance's JSON has the line breaks of its HTML in it.
  const line = printable(text.replace(/(\s|<br *\/?>)+/g, ' ').trim())
  return line === '' ? undefined : line.slice(0, 1000)
}

function messageInJson(body: string): string | undefined {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    // Not JSON: words of a proxy, unless it is JSON cut off half-way.
    return body.startsWith('{') ? undefined : body
  }
  if (typeof parsed === 'string') return parsed
  if (typeof parsed !== 'object' || parsed === null) return undefined
  const [fault] = Object.values(parsed)
  const first = Array.isArray(fault) ? (fault[0] as unknown) : fault
  if (typeof first === 'string') return first
  if (typeof first !== 'object' || first === null) return undefined
  const { message, detail, title } = first as Record<string, unknown>
  return [message, detail, title].find((candidate): candidate is string => typeof candidate === 'string' && candidate !== '')
}

/** Glance answers in HTML: the sentence stands after the heading. */
function textOfHtml(body: string): string {
  const afterHeading = body.replace(/^[\s\S]*<\/h1>/i, '')
  const strip = (html: string) =>
    html
      .replace(/<[^>]*>/g, ' ')
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&quot;/g, '"')
      .replace(/&#39;|&#x27;/g, "'")
      .replace(/&amp;/g, '&')
  const sentence = strip(afterHeading).trim()
  return sentence === '' ? strip(body) : sentence
}
