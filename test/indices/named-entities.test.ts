import { expect, test } from 'vitest'
import { namedEntities } from '../../src/indices/named-entities.ts'

const entities = [
  'I',
  'Guardians of the Galaxy',
  'galaxy',
  'Galaxy Vol. 3',
  'Chris Pratt',
  '银河',
  'the Moon',
]

test.each<[question: string, found: string[]]>([
  ['Who made the guardians OF the galaxy?', ['Guardians of the Galaxy', 'galaxy']],
  ['What did I see?', ['I']],
  ['Did I see Chris Pratt?', ['Chris Pratt']],
  ['Mr Pratt in volume 3', ['Galaxy Vol. 3', 'Chris Pratt']],
  ['银河护卫队是什么', ['银河']],
  ['galaxys', []],
  ['', []],
])('%j is about %j', (question, found) => {
  expect(namedEntities(question, entities)).toEqual(found)
})
