/**
 * Sets a property of an object whose keys came from outside. A key `__proto__` becomes an own property like any other;
 * plain assignment would change the object's prototype instead, and lose the value.
 */
export function setOwn(object: object, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    ;(object as Record<string, unknown>)[key] = value
  }
}
