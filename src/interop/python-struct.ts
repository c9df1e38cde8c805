/** An index struct as LlamaIndex for Python writes it: `{ __type__, __data__ }`, where the data is JSON in a string. */
import { fieldsOfType, type IndexStruct } from '../stores/index-struct.ts'
import { pythonFieldOf } from './llamaindex-structs.ts'
import { JsonInString, Members } from './members.ts'

export function structToPython({ indexId, type, summary, ...fields }: IndexStruct): Members {
  const known = Object.keys(fieldsOfType(type))
  const names = [
    ...known.filter((name) => Object.hasOwn(fields, name)),
    ...Object.keys(fields).filter((name) => !known.includes(name)),
  ]
  const data = new Map<string, unknown>([
    ['index_id', indexId],
    ...(summary === undefined ? [] : [['summary', summary] as const]),
    ...names.map((name) => [pythonFieldOf(name), asMembers(fields[name])] as const),
  ])
  return new Members([
    ['__type__', type],
    ['__data__', new JsonInString(new Members(data))],
  ])
}

function asMembers(field: unknown): unknown {
  return field instanceof Map ? new Members(field as Map<string, unknown>) : field
}
