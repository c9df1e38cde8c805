/** An index struct as LlamaIndex for Python writes it: `{ __type__, __data__ }`, where the data is JSON in a string. */
import { fieldsOfType, type IndexStruct } from '../stores/index-struct.ts'
import { pythonFieldOf } from './llamaindex-structs.ts'
import { pythonJson } from './python-json.ts'

export function structToPython({ indexId, type, summary, ...fields }: IndexStruct): Record<string, unknown> {
  const known = Object.keys(fieldsOfType(type))
  const names = [
    ...known.filter((name) => Object.hasOwn(fields, name)),
    ...Object.keys(fields).filter((name) => !known.includes(name)),
  ]
  const data = new Map<string, unknown>([
    ['index_id', indexId],
    ...(summary === undefined ? [] : [['summary', summary] as const]),
    ...names.map((name) => [pythonFieldOf(name), fields[name]] as const),
  ])
  return { __type__: type, __data__: pythonJson(data) }
}
