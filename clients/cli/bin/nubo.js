#!/usr/bin/env node
// Kept apart from dist/ so that it is executable however the compiler writes its files.
try {
  await import('../dist/main.js')
} catch (error) {
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || !error.message.includes('dist/main.js')) throw error
  process.stderr.write('nubo is not built yet: run `npm run build` in the clone.\n')
  process.exitCode = 1
}
