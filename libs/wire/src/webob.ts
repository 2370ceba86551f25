import { STATUS_CODES } from 'node:http'
import type { Fault, RenderedError } from './errors.js'

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' }
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => escapes[character]!)

/** The form WebOb picks among text/html and application/json by Accept; text/plain where neither is asked for. */
function acceptedForm(accept: string | undefined): 'html' | 'json' | 'plain' {
  let best: { form: 'html' | 'json'; quality: number } | undefined
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.trim().toLowerCase().split(';')
    const quality = Number(/^\s*q\s*=\s*([\d.]+)/.exec(parameters.find((text) => /^\s*q\s*=/.test(text)) ?? 'q=1')?.[1] ?? 1)
    const form = ['text/html', 'text/*', '*/*'].includes(type)
      ? 'html'
      : ['application/json', 'application/*'].includes(type)
        ? 'json'
        : undefined
    if (form && quality > 0 && (!best || quality > best.quality || (quality === best.quality && form === 'html')))
      best = { form, quality }
  }
  return best?.form ?? 'plain'
}

/**
 * An error in the form of WebOb (`webob.exc.WSGIHTTPException`), which Glance raises as it stands and which answers for
 * Nova's router: HTML, JSON or text by the Accept header.
 */
export function renderAsWebOb(fault: Fault, accept: string | undefined): RenderedError {
  const title = STATUS_CODES[fault.status] ?? 'Error'
  const status = `${fault.status} ${title}`
  const inner = (message: string) => `${message}<br /><br />\n\n\n`
  const form = acceptedForm(accept)
  const rendered = { status: fault.status, headers: fault.headers }
  if (form === 'json')
    return {
      ...rendered,
      contentType: 'application/json; charset=UTF-8',
      body: JSON.stringify({ message: inner(fault.message), code: status, title }),
    }
  if (form === 'html')
    return {
      ...rendered,
      contentType: 'text/html; charset=UTF-8',
      body: `<html>\n <head>\n  <title>${status}</title>\n </head>\n <body>\n  <h1>${status}</h1>\n  ${inner(escapeHtml(fault.message))}\n </body>\n</html>`,
    }
  return { ...rendered, contentType: 'text/plain; charset=UTF-8', body: `${status}\n\n${fault.message}\n\n   ` }
}
