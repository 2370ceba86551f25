// metadata-server.mjs DIRECTORY: answers one HTTP request on its standard input and output with a file from the directory.
// QEMU starts one for each connection of the guest to 169.254.169.254.
import { readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'

let request = ''
process.stdin.setEncoding('utf8').on('data', (text) => {
  request += text
  if (request.includes('\r\n\r\n')) answer(request.split(' ')[1])
})

function answer(path) {
  let status = '200 OK'
  let body
  try {
    body = readFileSync(join(process.argv[2], normalize(path)))
  } catch {
    status = '404 Not Found'
    body = Buffer.from('not here')
  }
  process.stdout.write(`HTTP/1.1 ${status}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`)
  process.stdout.write(body, () => process.exit())
}
