// The door to Nubo on one machine: `npm run up`, `down`, `status`, `test`, `test:fresh`, `bench` and `sim` all come in
// here. It runs on the Node that the machine has, with nothing installed: it brings what is missing, builds, and hands over
// to the built programs. Only this file must be readable by an old Node; the rest is loaded when the version is known to do.
const [major] = process.versions.node.split('.').map(Number)
if (major < 20) {
  console.error(
    `nubo: Node ${process.versions.node} is too old to begin with. Install Node 20 or newer; Nubo brings Node 24 itself.`,
  )
  process.exit(1)
}
const { main } = await import('./bootstrap/main.mjs')
process.exitCode = await main(process.argv.slice(2))
