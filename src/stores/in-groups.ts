/** Many items as events of a bounded number each, as when a whole store is handed on. */
const itemsPerEvent = 1000

export function* inGroups<T, E>(items: Iterable<T>, toEvent: (group: T[]) => E): Generator<E> {
  let group: T[] = []
  for (const item of items) {
    group.push(item)
    if (group.length < itemsPerEvent) continue
    yield toEvent(group)
    group = []
  }
  if (group.length) yield toEvent(group)
}
