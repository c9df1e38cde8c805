import { expect, test } from 'vitest'
import * as llamaindex from 'varve/llamaindex'
import * as testing from 'varve/testing'
import * as varve from 'varve'

// A name added or removed on purpose: `npm test -- -u public-api`, and a line in CHANGELOG.md.
test('the public names are those of public-api.txt', async () => {
  const lines = Object.entries({ varve, 'varve/llamaindex': llamaindex, 'varve/testing': testing }).flatMap(
    ([entry, module]) =>
      Object.keys(module)
        .sort()
        .map((name) => `${entry} ${name}\n`),
  )
  expect(lines.length).toBeGreaterThan(0)
  await expect(lines.join('')).toMatchFileSnapshot('./public-api.txt')
})
